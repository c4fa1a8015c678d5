import type { WorkflowHandle } from '@temporalio/client';
import { startFederation } from '../../operator/start-federation';
import type { FederationSummary } from '../../workflows/federation';
import { type FederationProgress, progress } from '../../workflows/messages';
import { historiesOf, type Phases, phasesOf, type WorkflowHistory } from './histories';
import { added, type Sample, sumsBy } from './metrics';
import type { Place, RunningCluster } from './place';

/** Measurements of one federation run. */
export interface MeasuredRun {
  readonly summary: FederationSummary;
  /** Time from the start of the workflow to its end, in seconds. */
  readonly seconds: number;
  readonly phases: Phases;
  /** Workflow histories of the run and of its child workflows. The history of the run itself comes first. */
  readonly histories: readonly WorkflowHistory[];
  /** Number of calls that the federator made to the store. Keys are the kinds of call, such as `get` and `put`. */
  readonly calls: ReadonlyMap<string, number>;
  /**
   * Time spent in activities, in seconds. Keys are the names of the activities. Times of concurrent activities are
   * added up.
   */
  readonly activitySeconds: ReadonlyMap<string, number>;
}

const reportEveryMs = 15_000;

/**
 * Runs one federation to its end and measures it. Reports progress on standard error every `reportEveryMs`. Throws if
 * the outcome of the run is not `complete`.
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
  // Ignore errors: a busy federator may answer too late, and this query only serves to report progress.
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

/** Returns the total number of events in all histories of a run. */
export function eventsOf({ histories }: MeasuredRun): number {
  return histories.reduce((sum, { events }) => sum + events, 0);
}

/** Returns the total size of all histories of a run, in bytes. */
export function historyBytesOf({ histories }: MeasuredRun): number {
  return histories.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Returns the mean time that a run took to merge one window, in seconds. */
export function mergeActivitySeconds({ activitySeconds, summary }: MeasuredRun): number {
  return (activitySeconds.get('mergeWindow') ?? NaN) / summary.planned;
}
