import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

/**
 * One line an event: fields first (always with a stable, dotted `event`), then the message for people. Scope a logger
 * with `child({cluster: …})` so that every line carries its subject.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export interface LogSettings {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto`: for people at a terminal, JSON elsewhere. */
  format: 'auto' | 'json' | 'pretty';
}

/** A logger that writes to standard output, JSON lines or the bracketed style that Kubecost's users grep. */
export function createLog(settings: LogSettings): Log {
  const forPeople = settings.format === 'pretty' || (settings.format === 'auto' && process.stdout.isTTY);
  const options = { level: settings.level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  if (!forPeople) return pino({ ...options, formatters: { level: (label) => ({ level: label }) } });
  return pino(
    options,
    pretty({ hideObject: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname', sync: true }),
  );
}

/** Says nothing: for what has its own way of telling, and for tests. */
export const silentLog: Log = pino({ level: 'silent' });
