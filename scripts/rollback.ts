import type { Command } from 'commander';
import { count } from '../federation/count';
import { type DryRun, dryRun } from '../operator/dry-run';
import { formatAge } from '../operator/format';
import { personRequest } from '../operator/person-request';
import { confirm } from './confirm';
import { type CommandOptions, openContext } from './context';
import { startAndShow } from './federate';
import { print, printJson, printNote } from './output';
import { parseCount } from './parse-options';
import { whoAmI } from './who';

interface RollbackOptions extends CommandOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly wait?: true;
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
    .option('--wait', 'show its progress and wait for it to end; exit status 1 if it fails')
    .option('--dry-run', 'show what would change; writes and starts nothing')
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
      if (options.dryRun && options.json) return printJson(plan);
      for (const line of describeRollback(plan, new Date())) (options.dryRun ? print : printNote)(line);
      if (options.dryRun) return print('Nothing was written.');
      if (!(await confirm(command, `Roll back to generation ${to}?`, options))) return;
      await startAndShow(context, request, { wait: options.wait === true, json: options.json === true });
    });
}

/** Describes what a rollback would do, one sentence per line. */
function describeRollback(plan: DryRun, now: Date): string[] {
  const { base, windows, carried, removed, clusters, excluded, removedClusters, rollback } = plan;
  if (rollback === undefined) return [];
  const why = (cluster: string) =>
    Object.entries(excluded).find(([id]) => id === cluster)?.[1].reason ??
    Object.entries(removedClusters).find(([id]) => id === cluster)?.[1].reason ??
    '';
  return [
    `Generation ${base}, committed ${formatAge(rollback.committedAt, now)}, has ${count(carried + windows.length, 'window')} of ${count(clusters.length, 'cluster')} to bring back.`,
    ...rollback.out.map((cluster) => `${cluster} stays out: ${why(cluster) || 'no reason was given'}.`),
    ...rollback.lacking.map((cluster) => `${cluster} is not in it, and comes back with the end of the hold.`),
    ...(windows.length + removed.length === 0
      ? []
      : [`${count(windows.length, 'window')} to merge without them, ${removed.length} to drop.`]),
    'Until `federated-etl federate --resume`, nothing else is committed.',
  ];
}
