import type { WorkflowHandle } from '@temporalio/client';
import { startFederation } from '../../operator/start-federation';
import type { FederationSummary } from '../../workflows/federation';
import { type FederationProgress, progress } from '../../workflows/messages';
import { historiesOf, type Phases, phasesOf, type WorkflowHistory } from './histories';
import { added, type Sample, sumsBy } from './metrics';
import type { Place, RunningCluster } from './place';

/** The measurements of one federation. */
export interface MeasuredRun {
  readonly summary: FederationSummary;
  /** Seconds from the workflow's start to its end. */
  readonly seconds: number;
  readonly phases: Phases;
  /** Histories of the run (first) and of its child workflows. */
  readonly histories: readonly WorkflowHistory[];
  /** Number of calls that the federator made to the store, by verb. */
  readonly calls: ReadonlyMap<string, number>;
  /** Seconds spent in activities, by the activity's name. The times of concurrent activities are added up. */
  readonly activitySeconds: ReadonlyMap<string, number>;
}

const reportEveryMs = 15_000;

/**
 * Runs one federation to its end. If it takes long, reports progress on standard error. Throws if its outcome is not
 * `complete`.
 */
export async function measureRun({ client }: Place, federator: RunningCluster): Promise<MeasuredRun> {
  const before = await federator.metrics();
  const run = await startFederation(client, '', { trigger: 'person', at: new Date().toISOString() });
  const handle = client.workflow.getHandle(run);
  const reporting = setInterval(() => void reportProgress(handle), reportEveryMs);
  const summary = (await handle.result().finally(() => clearInterval(reporting))) as FederationSummary;
  const after = await federator.metrics();
  if (summary.outcome !== 'complete')
    throw new Error(`${run} ended ${summary.outcome}: ${JSON.stringify(summary)}`);
  const histories = await historiesOf(client, run);
  const difference = (name: string, label: string) => added(...both([before, after], name, label));
  return {
    summary,
    seconds: histories[0]?.seconds ?? NaN,
    phases: phasesOf(histories),
    histories,
    calls: difference('federated_etl_storage_call_seconds_count', 'verb'),
    activitySeconds: difference('federated_etl_activity_seconds_sum', 'activity'),
  };
}

async function reportProgress(handle: WorkflowHandle): Promise<void> {
  // Ignore errors: the query is only for reporting progress, and a busy federator may answer it too late.
  const at = await handle.query<FederationProgress>(progress).catch(() => undefined);
  if (at !== undefined) console.error(`  ${at.phase}: ${at.merged} of ${at.planned} windows`);
}

function both(
  [before, after]: readonly [readonly Sample[], readonly Sample[]],
  name: string,
  label: string,
): [Map<string, number>, Map<string, number>] {
  return [sumsBy(before, name, label), sumsBy(after, name, label)];
}

/** Counts the events in all histories of a run. */
export function eventsOf({ histories }: MeasuredRun): number {
  return histories.reduce((sum, { events }) => sum + events, 0);
}

/** Adds up the sizes of all histories of a run, in bytes. */
export function historyBytesOf({ histories }: MeasuredRun): number {
  return histories.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Returns the mean duration of merging a window, in seconds. */
export function mergeActivitySeconds({ activitySeconds, summary }: MeasuredRun): number {
  return (activitySeconds.get('mergeWindow') ?? NaN) / summary.planned;
}
