import type { Command } from 'commander';
import { dryRun } from '../operator/dry-run';
import { personRequest } from '../operator/person-request';
import { confirm } from './confirm';
import { type CommandOptions, openContext } from './context';
import { startAndShow } from './federate';
import { printNote } from './output';
import { describeRollback, showPlan } from './show-dry-run';
import type { WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface RollbackOptions extends CommandOptions, WaitOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Makes the windows of an earlier generation current again. */
export async function rollback(to: number, command: Command): Promise<void> {
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
}
