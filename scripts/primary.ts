import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import { count } from '../federation/count';
import { type Primary, primaryOf } from '../operator/primary';
import { promptly } from '../operator/promptly';
import { readSchedule, type ScheduleState } from '../operator/read-schedule';
import type { Names } from '../workflows/names';
import { type CommandOptions, openContext } from './context';
import { describeWaiting } from './describe-waiting';
import { print, printJson } from './output';
import { ownCluster } from './own-cluster';
import { nothingChanged } from './show-dry-run';

interface PrimaryOptions extends CommandOptions {
  readonly json?: true;
  readonly cluster?: string;
  readonly add?: string;
  readonly withoutWaiting?: true;
  readonly acceptFederation?: string;
  readonly dryRun?: true;
}

interface Asked {
  readonly client: Client;
  readonly names: Names;
}

/** Time within which Temporal has to describe the schedule, in milliseconds. */
const scheduleWithinMs = 3_000;

interface Answer {
  readonly json: unknown;
  readonly show: () => void;
}

type Act = (primary: Primary, options: PrimaryOptions, asked: Asked) => Promise<Answer>;

const acts = {
  status: async (primary, _, { client, names }) => {
    const status = await primary.status();
    // The schedule is shown only as additional information. If it cannot be read, the state is still shown.
    const schedule =
      status.state === 'waiting'
        ? await promptly(client, scheduleWithinMs, () => readSchedule(client, names.schedule)).catch(
            () => undefined,
          )
        : undefined;
    return { json: status, show: () => showStatus(primary.cluster, status, schedule) };
  },
  names: async (primary, { add }) => {
    const names = await primary.names(add);
    return { json: names, show: () => names.ownNames.forEach((name) => print(name)) };
  },
  leave: async (primary, { dryRun }) => {
    const left = await primary.leave({ dryRun: dryRun === true });
    const show = dryRun ? showWouldLeave : showLeft;
    return { json: left, show: () => show(primary.cluster, left) };
  },
  enter: async (primary, options) => {
    const { withoutWaiting, acceptFederation } = options;
    const { cluster } = primary;
    if (acceptFederation !== undefined) await primary.acceptFederation(acceptFederation);
    const { entered } = await primary.enter(withoutWaiting === true);
    const now = entered
      ? 'pulls; its local ETL is backed up before the first overwrite.'
      : 'is a primary already.';
    const accepted = `The next pull takes federation ${acceptFederation}, if that is in the bucket.`;
    return {
      json: { cluster, entered, ...(acceptFederation !== undefined && { acceptFederation }) },
      show: () => {
        print(`${cluster} ${now}`);
        if (acceptFederation !== undefined) print(accepted);
      },
    };
  },
} satisfies Record<string, Act>;

/** Runs a verb `primary VERB`. */
export async function primaryVerb(verb: keyof typeof acts, command: Command): Promise<void> {
  const options = command.optsWithGlobals<PrimaryOptions>();
  await using context = openContext(options);
  const cluster = ownCluster(context.settings, options.cluster);
  const { client } = await context.temporal();
  const act: Act = acts[verb];
  const { json, show } = await act(primaryOf(client, context.names, cluster), options, {
    client,
    names: context.names,
  });
  if (options.json) printJson(json);
  else show();
}

function showWouldLeave(cluster: string, { own, restored, removed }: LeaveSummary): void {
  print(`${cluster} would no longer pull.`);
  for (const { path, why } of restored.examples) print(`would restore ${path} ${why}`);
  for (const { path } of removed.examples) print(`would remove ${path}`);
  const others = restored.count + removed.count - restored.examples.length - removed.examples.length;
  if (others > 0) print(`and ${others} more`);
  print(
    `${count(restored.count, 'window')} to restore, ${removed.count} to remove, ${own} its own already. ${nothingChanged}`,
  );
}

function showLeft(cluster: string, { fromFolder, fromBackup, own, removed }: LeaveSummary): void {
  print(`${cluster} no longer pulls, also after restarts, until \`federated-etl primary enter\`.`);
  print(
    `${count(fromFolder, 'window')} restored from its folder, ${fromBackup} from a backup; ${own} were its own already.`,
  );
  if (removed.count > 0) print(`${count(removed.count, 'window')} removed: the cluster has none of its own.`);
}

const states = {
  entered: 'is a primary, and has not pulled yet',
  waiting: 'waits before its first pull',
  pulling: 'pulls the combined set',
  refused: 'pulls nothing, and serves what it has',
  left: 'has left: it no longer pulls',
} as const satisfies Record<PrimaryStatus['state'], string>;

function showStatus(
  cluster: string,
  status: PrimaryStatus,
  schedule: ScheduleState | 'absent' | undefined,
): void {
  const { waitingFor, waitingSince, pullRefused, accepts, lastPull, backup, ownNames, refused } = status;
  print(`${cluster} ${states[status.state]}`);
  if (waitingFor !== undefined) {
    const waiting = describeWaiting(waitingSince, schedule, new Date());
    if (waiting !== '') print(`  waits${waiting}`);
    print(`  ${waitingFor}`);
  }
  if (pullRefused !== undefined)
    print(`  ${pullRefused.code}: ${pullRefused.detail}`, `  ${pullRefused.hint}`);
  if (accepts !== undefined) print(`  takes federation ${accepts} with its next pull`);
  if (lastPull !== undefined) print(`  generation ${lastPull.generation}, pulled ${lastPull.at}`);
  if (backup !== undefined) print(`  backup of its own local ETL: ${backup}`);
  print(`  own names: ${ownNames.join(', ') || 'none'}`);
  if (refused.count > 0)
    print(`  ${count(refused.count, 'local file')} not pushed, as they may not be its own:`);
  for (const { path, why } of refused.examples) print(`    ${path}: ${why}`);
}
