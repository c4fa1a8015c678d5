import type { Command } from 'commander';
import { dryRun } from '../operator/dry-run';
import { personRequest } from '../operator/person-request';
import { confirm } from './confirm';
import { type CommandOptions, openContext } from './context';
import { startAndShow } from './federate';
import { printNote } from './output';
import { parseCount } from './parse-options';
import { describeRollback, dryRunOption, showPlan } from './show-dry-run';
import { timeoutOption, type WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface RollbackOptions extends CommandOptions, WaitOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Adds the verb `rollback` to the command line. */
export function registerRollback(program: Command): void {
  program
    .command('rollback')
    .argument('<generation>', 'the number of the generation, as in `generations`', parseCount)
    .description('make the windows of an earlier generation current again, and hold the federation')
    .option('--reason <text>', 'the reason, shown in status while the hold stands')
    .option('--yes', 'do not ask')
    .option(
      '--wait',
      'show its progress and wait for it to end; exit status 1 if it fails, 3 if it is partial',
    )
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText('after', "\nExample:\n  federated-etl rollback 41 --reason 'prices of cluster-3' --wait\n")
    .action(async (to: number, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RollbackOptions>();
      await using context = openContext(options);
      const request = personRequest(whoAmI(), {
        why: options.reason ?? '',
        change: { kind: 'rollback', to },
      });
      const plan = await dryRun(context, request);
      if (options.dryRun) return showPlan(plan, options);
      for (const line of [...plan.missing, ...describeRollback(plan, new Date())]) printNote(line);
      if (!(await confirm(command, `Roll back to generation ${to}?`, options))) return;
      await startAndShow(context, request, options);
    });
}
