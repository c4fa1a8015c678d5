import type { Command } from 'commander';
import { createLog } from '../config/log';
import { loadSettings, requireRole } from '../config/settings';
import { FederationError } from '../errors/federation-error';
import { installRuntime, runRoles } from '../workers/run-roles';
import { endSoon, stopOnSignals } from './stop-on-signals';

export function registerRun(program: Command): void {
  program
    .command('run')
    .description("run this cluster's roles until SIGINT or SIGTERM")
    .addHelpText('after', '\nExample:\n  federated-etl run --config cluster-4.yaml\n')
    .action(async (_options: unknown, command: Command) => {
      const { config } = command.optsWithGlobals<{ config?: string }>();
      const settings = loadSettings({ file: config });
      requireRole(settings);
      const log = createLog(settings.log).child({ clusterId: settings.clusterId });
      for (const notice of settings.notices) log.warn({ event: 'settings.notice' }, notice);
      installRuntime(log);
      const stop = stopOnSignals(log);
      // The verb `demo` starts the verb `run` as a child process and waits for the message `ready`.
      await runRoles(settings, log, stop, () => process.send?.('ready'))
        .catch((error: unknown) => {
          if (error instanceof FederationError) {
            log.error({ event: 'failed', code: error.code, ...error.subject }, error.detail);
          }
          throw error;
        })
        .finally(() => endSoon());
    });
}
