import { format } from 'node:util';
import type { Log } from '../config/log';

/**
 * Writes to the log what Node and libraries would write to standard error: warnings, messages, and an uncaught
 * exception, which ends the process. So a JSON log contains only JSON lines, even if a container's two outputs are
 * collected together.
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
