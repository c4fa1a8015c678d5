import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { type History } from '../../test/workflows/history-json';
import { largestPayload } from '../../test/workflows/largest-payload';

type Event = NonNullable<History['events']>[number];

/** A workflow that ended, as its history tells it. */
export interface Told {
  readonly workflowId: string;
  readonly type: string;
  readonly events: number;
  /** Of its history, as Temporal counts it. */
  readonly bytes: number;
  readonly largestPayloadBytes: number;
  /** From its start to its end. */
  readonly seconds: number;
  readonly history: History;
}

/** The histories of a run and of all workflows that it had as children, or went on as; the run's own first. */
export async function historiesOf(client: Client, workflowId: string, runId?: string): Promise<Told[]> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const [description, history] = await Promise.all([handle.describe(), handle.fetchHistory()]);
  const { startTime, closeTime = startTime, historySize = 0 } = description;
  const told: Told = {
    workflowId,
    type: description.type,
    events: history.events?.length ?? 0,
    bytes: historySize,
    largestPayloadBytes: largestPayload(history).bytes,
    seconds: (closeTime.getTime() - startTime.getTime()) / 1_000,
    history,
  };
  const others: Told[] = [];
  for (const event of history.events ?? []) {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    if (child?.workflowId != null)
      others.push(...(await historiesOf(client, child.workflowId, child.runId ?? undefined)));
    if (next != null) others.push(...(await historiesOf(client, workflowId, next)));
  }
  return [told, ...others];
}

/** How long the steps of a run took, in seconds; those that it did not take are not there. */
export interface Phases {
  readonly plan?: number;
  /** From the end of the plan to the commit. */
  readonly merge?: number;
  readonly commit?: number;
  readonly publish?: number;
}

/** Reads the steps out of the histories of a run. */
export function phasesOf([run, ...others]: readonly Told[]): Phases {
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
  /** In ms. */
  readonly from: number;
  readonly to: number;
}

/** From the first scheduling of an activity to its last completion. */
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
