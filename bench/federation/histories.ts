import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { type History } from '../../test/workflows/history-json';
import { largestPayload } from '../../test/workflows/largest-payload';

type Event = NonNullable<History['events']>[number];

/** Summary of a completed workflow, derived from its history. */
export interface WorkflowHistory {
  readonly workflowId: string;
  readonly type: string;
  readonly events: number;
  /** Size of the history in bytes, as counted by Temporal. */
  readonly bytes: number;
  readonly largestPayloadBytes: number;
  /** Time from the start of the workflow to its end, in seconds. */
  readonly seconds: number;
  readonly history: History;
}

/**
 * Fetches the history of a federation run, followed by the histories of its child workflows and of the executions that
 * continued it (continue-as-new).
 */
export async function historiesOf(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowHistory[]> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const [description, history] = await Promise.all([handle.describe(), handle.fetchHistory()]);
  const { startTime, closeTime = startTime, historySize = 0 } = description;
  const own: WorkflowHistory = {
    workflowId,
    type: description.type,
    events: history.events?.length ?? 0,
    bytes: historySize,
    largestPayloadBytes: largestPayload(history).bytes,
    seconds: (closeTime.getTime() - startTime.getTime()) / 1_000,
    history,
  };
  const others: WorkflowHistory[] = [];
  for (const event of history.events ?? []) {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    if (child?.workflowId != null)
      others.push(...(await historiesOf(client, child.workflowId, child.runId ?? undefined)));
    if (next != null) others.push(...(await historiesOf(client, workflowId, next)));
  }
  return [own, ...others];
}

/** Durations of the phases of a federation run, in seconds. Undefined for a phase that the run did not reach. */
export interface Phases {
  readonly plan?: number;
  /** Time from the end of planning to the start of the commit, in seconds. */
  readonly merge?: number;
  readonly commit?: number;
  readonly publish?: number;
}

/** Computes the durations of a run's phases from the run's histories. */
export function phasesOf([run, ...others]: readonly WorkflowHistory[]): Phases {
  const commit = others.find(({ type }) => type === 'commit');
  const plan = spanOf(run?.history, 'planFederation');
  const commitAt = run?.history.events?.find(
    (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name === 'commit',
  );
  return {
    plan: seconds(plan),
    ...(plan !== undefined && commitAt !== undefined
      ? { merge: seconds({ from: plan.to, to: timeOf(commitAt) }) }
      : {}),
    commit: seconds(spanOf(commit?.history, 'commitGeneration')),
    publish: seconds(spanOf(commit?.history, 'publishGeneration')),
  };
}

interface Span {
  /** Start of the time span, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/**
 * Returns the time span from the first scheduling of an activity to its last completion. Returns undefined if the
 * activity has not completed.
 */
function spanOf(history: History | undefined, activity: string): Span | undefined {
  const events = history?.events ?? [];
  const scheduled = events.filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
  const ids = new Set(scheduled.map(({ eventId }) => String(eventId)));
  const completed = events.filter(({ activityTaskCompletedEventAttributes: ended }) =>
    ids.has(String(ended?.scheduledEventId)),
  );
  const [first, last] = [scheduled[0], completed.at(-1)];
  return first === undefined || last === undefined ? undefined : { from: timeOf(first), to: timeOf(last) };
}

function timeOf(event: Event): number {
  return optionalTsToMs(event.eventTime) ?? NaN;
}

function seconds(span: Span | undefined): number | undefined {
  return span === undefined ? undefined : (span.to - span.from) / 1_000;
}
