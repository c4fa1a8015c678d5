import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Log } from '../config/log';
import { SdkLines } from './sdk-line';

/**
 * Redirects the log messages of the Temporal SDK to our log, including those of its native part, which otherwise writes
 * coloured text to standard output. Call it before each attempt to connect: the SDK shuts its runtime down after a
 * failed attempt, and would then start one with its own settings.
 */
export function ensureRuntime(log: Log): void {
  if (Runtime._instance !== undefined) return;
  const lines = new SdkLines();
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const line = lines.convert(level, message, meta);
      log[line.level]({ event: 'temporal', ...line.fields }, message);
    }),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    // Prevent the SDK from handling signals: the caller of `runRoles` decides when the workers stop.
    shutdownSignals: [],
  });
}
