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

/** Adds the verb `doctor` to the command line. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check settings, local ETL, bucket and Temporal from here, and say how to fix what fails')
    .option('--strict', 'treat unknown settings of the store as failures')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl doctor --config cluster-4.yaml\n\nExit status 1: a check failed.\n',
    )
    .action(async (_: unknown, command: Command) => {
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
    });
}
