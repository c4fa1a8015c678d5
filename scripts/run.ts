import type { Command } from 'commander';
import { createLog, isJsonLog } from '../config/log';
import { loadSettings, requireRole } from '../config/settings';
import { knownError } from '../errors/known-error';
import { exitStatusOf } from '../operator/exit-status';
import { runRoles } from '../workers/run-roles';
import { logForeignOutput } from './foreign-output';
import { endSoon, stopOnSignals } from './stop-on-signals';

/** Runs this cluster's roles until a signal asks it to stop. */
export async function run(command: Command): Promise<void> {
  const { config } = command.optsWithGlobals<{ config?: string }>();
  const settings = loadSettings({ file: config });
  requireRole(settings);
  const log = createLog(settings.log).child({ clusterId: settings.clusterId });
  // At a terminal, also print errors as text.
  const onlyJson = isJsonLog(settings.log) && !process.stderr.isTTY;
  if (onlyJson) logForeignOutput(log);
  for (const notice of settings.notices) log.warn({ event: 'settings.notice' }, notice);
  const stop = stopOnSignals(log);
  // The verb `demo` starts the verb `run` as a child process and waits for the message `ready`.
  await runRoles(settings, log, stop, () => process.send?.('ready'))
    .catch((error: unknown) => {
      const known = knownError(error, settings.temporal);
      const { code, hint, subject } = known;
      const err = code === 'INTERNAL' ? { err: error } : {};
      log.error({ event: 'failed', code, hint, ...subject, ...err }, known.detail);
      if (!onlyJson) throw error;
      process.exitCode = exitStatusOf(known);
    })
    .finally(() => endSoon());
}
