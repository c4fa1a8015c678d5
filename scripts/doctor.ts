import type { Command } from 'commander';
import { silentLog } from '../config/log';
import type { Check, DoctorReport } from '../operator/doctor/check';
import { examine } from '../operator/doctor/examine';
import type { CommandOptions } from './context';
import { print, printJson } from './output';
import { showChecks, verdict } from './show-checks';
import { stopOnSignals } from './stop-on-signals';

interface DoctorOptions extends CommandOptions {
  readonly strict?: true;
  readonly json?: true;
}

/** Examines this cluster from here, and prints the checks. */
export async function doctor(command: Command): Promise<void> {
  const options = command.optsWithGlobals<DoctorOptions>();
  // On a signal, `doctor` does not exit at once. It first removes its test objects from the bucket and prints that
  // it was interrupted.
  using stop = stopOnSignals(silentLog);
  const checks: Check[] = [];
  for await (const some of examine({ ...options, signal: stop })) {
    checks.push(...some);
    if (!options.json) showChecks(some, process.stdout.columns || 100);
  }
  const ok = checks.every(({ outcome }) => outcome !== 'failed') && !stop.aborted;
  if (options.json) printJson({ checks, ok } satisfies DoctorReport);
  else print('', `${stop.aborted ? 'Interrupted.' : verdict(checks)}`);
  if (!ok) process.exitCode = 1;
}
