import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

/**
 * Logger that writes one line per event. Each call passes an object with fields, then a readable message. One of the
 * fields must be `event`, the stable name of the event, such as `storage.call`. `child({cluster: …})` returns a logger
 * that adds the given fields to every line.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export interface LogSettings {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto` means `pretty` if the output is a terminal, otherwise `json`. */
  format: 'auto' | 'json' | 'pretty';
}

/**
 * Creates a logger that writes to standard output. It writes either JSON lines or readable lines, such as
 * `[12:30:00] INFO: Federator[allocations][1d] …`. Kubecost's users can search the readable lines with their usual grep
 * commands.
 */
export function createLog(settings: LogSettings): Log {
  const forPeople = settings.format === 'pretty' || (settings.format === 'auto' && process.stdout.isTTY);
  const options = { level: settings.level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  if (!forPeople) return pino({ ...options, formatters: { level: (label) => ({ level: label }) } });
  return pino(
    options,
    pretty({ hideObject: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname', sync: true }),
  );
}

/** Logger that discards everything, for tests and for code that reports events in another way. */
export const silentLog: Log = pino({ level: 'silent' });
