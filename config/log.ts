import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

/**
 * Logger that writes one line per event. A call passes the fields first, then a message for people. The fields always
 * include `event`, a stable name with dots. Use `child({cluster: …})` to get a logger that adds its own fields to every
 * line.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export interface LogSettings {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto` means `pretty` at a terminal and `json` elsewhere. */
  format: 'auto' | 'json' | 'pretty';
}

/**
 * Creates a logger that writes to standard output, either as JSON lines or in the bracketed style that Kubecost's users
 * search with grep.
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

/** Logger that discards everything: for code that reports in another way, and for tests. */
export const silentLog: Log = pino({ level: 'silent' });
