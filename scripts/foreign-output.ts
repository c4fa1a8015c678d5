import { format } from 'node:util';
import type { Log } from '../config/log';

/**
 * Writes to the log what else would reach standard error: warnings of Node, messages of libraries, and an exception
 * that nothing catches, which ends the process. So a log of JSON lines has no other lines, even if a container's
 * outputs are collected as one.
 */
export function logForeignOutput(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const level = warning.name === 'DeprecationWarning' ? 'debug' : 'warn';
    log[level]({ event: 'process.output' }, `${warning.name}: ${warning.message}`);
  });
  const said = (...args: unknown[]) => log.warn({ event: 'process.output' }, format(...args));
  Object.assign(console, { log: said, info: said, warn: said, error: said });
  process.on('uncaughtException', (error) => {
    log.error({ event: 'failed', code: 'INTERNAL', err: error }, error.message);
    process.exit(1);
  });
}
