import type { Client } from '@temporalio/client';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { type FederationError, isFederationError } from '../errors/federation-error';
import { knownError } from '../errors/known-error';
import { byBytes } from '../federation/byte-order';
import type { Condition } from '../federation/conditions';
import type { PullState, PushState, RosterState } from '../workflows/messages';
import { briefTimeoutMs, type Operator } from './operator';
import { promptly } from './promptly';
import { readSchedule, type ScheduleState } from './read-schedule';
import { stoppedPushes } from './stopped-pushes';

/** State that only Temporal has. If a workflow does not answer, its field is undefined or its map entry is missing. */
export interface TemporalView {
  readonly roster?: RosterState;
  /** State of each push workflow, by cluster id. `pull` contains the same for pull workflows. */
  readonly push: ReadonlyMap<string, PushState>;
  readonly pull: ReadonlyMap<string, PullState>;
  /** The schedule of the federations; undefined if it is unknown. */
  readonly schedule?: ScheduleState | 'absent';
  /** Those of the silent clusters whose pushes were stopped on purpose. */
  readonly stopped: ReadonlySet<string>;
  /** The conditions that the processes have reported to these workflows. */
  readonly conditions: readonly ReportedCondition[];
  /** Sentences that say what is unknown because Temporal or a workflow did not answer. */
  readonly missing: readonly string[];
}

/** A condition of one role of a cluster, as the cluster's process last reported it. */
export interface ReportedCondition extends Condition {
  readonly cluster: string;
}

/**
 * Deadline of a query, in milliseconds. Without a deadline, a query would take a long time to fail if no worker
 * answers.
 */
const answerWithinMs = 3_000;

/** The clusters about which to ask Temporal. */
export interface AskedClusters {
  /** The clusters whose push workflows to query. (Default: none) */
  readonly pushing?: readonly string[];
  /** The silent clusters, for which to ask whether their pushes were stopped on purpose. (Default: none) */
  readonly silent?: readonly string[];
}

/**
 * Queries the roster and the push and pull workflows. Does not throw if Temporal is unavailable or a workflow does not
 * answer.
 */
export async function temporalView(
  operator: Operator,
  { pushing = [], silent = [] }: AskedClusters,
): Promise<TemporalView> {
  const missing: string[] = [];
  const temporal = await operator.temporal({ timeoutMs: briefTimeoutMs }).catch((error: unknown) => {
    if (!isFederationError(error, 'TEMPORAL_UNAVAILABLE')) throw error;
    missing.push(
      `${error.detail} Primaries, running federations and exclusions newer than the last run are not shown.`,
    );
    return undefined;
  });
  if (temporal === undefined)
    return { push: new Map(), pull: new Map(), stopped: new Set(), conditions: [], missing };

  const { names } = operator;
  const { answer: roster, refusal } = await ask<RosterState>(temporal.client, names.roster, 'roster');
  if (roster === undefined)
    missing.push(
      refusal === undefined
        ? 'The roster does not answer: does a federator run?'
        : `The roster could not be asked: ${refusal.code}: ${refusal.detail}`,
    );
  const states = async <State>(
    ids: readonly string[],
    workflowId: (cluster: string) => string,
  ): Promise<Map<string, State>> => {
    const answers = await mapConcurrently(ids, 8, (id) =>
      ask<State>(temporal.client, workflowId(id), 'state'),
    );
    return new Map(
      answers.flatMap(({ answer }, index) =>
        answer === undefined ? [] : [[ids[index] ?? '', answer] as const],
      ),
    );
  };
  const primaries = roster?.primaries ?? [];
  const { client } = temporal;
  const [push, pull, { answer: schedule, refusal: unread }, stopped] = await Promise.all([
    states<PushState>(pushing, (cluster) => names.push(cluster)),
    states<PullState>(primaries, (cluster) => names.pull(cluster)),
    answerOf(promptly(client, answerWithinMs, () => readSchedule(client, names.schedule))),
    // If Temporal does not answer, assume that no pushes were stopped on purpose, so that no silent cluster is missed.
    promptly(client, answerWithinMs, () => stoppedPushes(client, names, silent)).catch(
      (): ReadonlySet<string> => new Set(),
    ),
  ]);
  for (const primary of primaries.filter((id) => !pull.has(id))) {
    missing.push(`The primary ${primary} does not answer: does it run?`);
  }
  if (schedule === undefined)
    missing.push(
      unread === undefined
        ? 'The schedule of the federations could not be read.'
        : `The schedule of the federations could not be read: ${unread.code}: ${unread.detail}`,
    );
  const conditions = reportedConditions(roster, push, pull);
  return { roster, push, pull, conditions, ...(schedule !== undefined && { schedule }), stopped, missing };
}

/** Returns the conditions of all processes, sorted by cluster. */
function reportedConditions(
  roster: RosterState | undefined,
  push: TemporalView['push'],
  pull: TemporalView['pull'],
): ReportedCondition[] {
  const reports = [
    ...Object.entries(roster?.conditions ?? {}),
    ...[...push, ...pull].map(([cluster, { conditions = [] }]) => [cluster, conditions] as const),
  ];
  return reports
    .flatMap(([cluster, conditions]) => conditions.map((one) => ({ cluster, ...one })))
    .sort((a, b) => byBytes(a.cluster, b.cluster));
}

/**
 * The answer of Temporal, or the reason why the server refuses the request. Both are undefined if there was no answer
 * in time.
 */
interface Asked<Answer> {
  readonly answer?: Answer;
  readonly refusal?: FederationError;
}

function ask<Answer>(client: Client, workflowId: string, query: string): Promise<Asked<Answer>> {
  return answerOf(
    promptly(client, answerWithinMs, () => client.workflow.getHandle(workflowId).query<Answer>(query)),
  );
}

const refusals = ['TEMPORAL_ACCESS_DENIED', 'TEMPORAL_THROTTLED'];

async function answerOf<Answer>(asking: Promise<Answer>): Promise<Asked<Answer>> {
  try {
    return { answer: await asking };
  } catch (error) {
    // Ignore any other error: the workflow has not started, has no worker, or is too slow.
    const known = knownError(error);
    return refusals.includes(known.code) ? { refusal: known } : {};
  }
}
