import type { Client } from '@temporalio/client';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { ErrorCode } from '../errors/catalog';
import { FederationError, isFederationError } from '../errors/federation-error';
import { type ClusterId, isClusterId } from '../etl/cluster-id';
import { byBytes } from '../federation/byte-order';
import type { Condition } from '../federation/conditions';
import { shortList } from '../query/notes';
import type { PullState, PushState, RosterState } from '../workflows/messages';
import type { Names } from '../workflows/names';
import { answerOf, type Asked, askWorkflow, isNamespaceMissing } from './ask-workflow';
import { briefTimeoutMs, type Operator } from './operator';
import { promptly } from './promptly';
import { readSchedule, type ScheduleState } from './read-schedule';
import { runningClusters } from './running-clusters';
import { stoppedPushes } from './stopped-pushes';

/** State that only Temporal has. If a workflow does not answer, its field is undefined or its map entry is missing. */
export interface TemporalView {
  readonly roster?: RosterState;
  /** State of each push workflow, by cluster id. `pull` contains the same for pull workflows. */
  readonly push: ReadonlyMap<string, PushState>;
  readonly pull: ReadonlyMap<string, PullState>;
  /** The schedule of the federations; undefined if it is unknown. */
  readonly schedule?: ScheduleState | 'absent';
  /** The clusters whose pushes were stopped on purpose. */
  readonly stopped: ReadonlySet<string>;
  /** The clusters whose push workflow runs, even if no worker answers for it. */
  readonly pushing: readonly ClusterId[];
  /** The conditions that processes have reported to the roster, push and pull workflows. */
  readonly conditions: readonly ReportedCondition[];
  /** Sentences that say what is unknown because Temporal or a workflow did not answer. */
  readonly missing: readonly string[];
}

/** A condition of one role of a cluster, as the cluster's process last reported it. */
export interface ReportedCondition extends Condition {
  readonly cluster: string;
}

/** Deadline of one request, in milliseconds. A query of a workflow without a worker is never answered. */
const answerWithinMs = 3_000;
/** Deadline of all requests together, in milliseconds. */
const allWithinMs = 5_000;
/**
 * Maximum number of workflows that are asked at once. It is high, because those without a worker cost the server
 * nothing but time.
 */
const askedAtOnce = 100;

/** The clusters about which to ask Temporal. */
export interface AskedClusters {
  /**
   * Known clusters. Their push workflows are queried, and so are all other push workflows that Temporal lists as
   * running. If undefined, no push workflow is queried.
   */
  readonly pushing?: readonly ClusterId[];
  /** Clusters whose push workflows are not queried. (Default: none) */
  readonly removed?: readonly string[];
}

/**
 * Queries the roster and the push and pull workflows. Does not throw if Temporal is unavailable or a workflow does not
 * answer. Takes no longer than `allWithinMs` once Temporal is connected.
 */
export async function temporalView(
  operator: Operator,
  { pushing, removed = [] }: AskedClusters,
): Promise<TemporalView> {
  const temporal = await operator.temporal({ timeoutMs: briefTimeoutMs }).catch((error: unknown) => {
    if (!isFederationError(error) || !withoutTemporal.includes(error.code)) throw error;
    return error;
  });
  if (temporal instanceof FederationError) return nothingKnown(temporal);

  const { names } = operator;
  const { client } = temporal;
  const endAt = Date.now() + allWithinMs;
  const left = () => Math.min(answerWithinMs, endAt - Date.now());
  const ask = <State>(workflowId: string, query: string) =>
    askWorkflow<State>(client, workflowId, query, left());
  const askEach = async <State>(
    ids: readonly ClusterId[],
    workflowId: (cluster: string) => string,
  ): Promise<[ClusterId, Asked<State>][]> =>
    mapConcurrently(ids, askedAtOnce, async (id) => [id, await ask<State>(workflowId(id), 'state')]);
  const running = (type: 'push' | 'pull') =>
    answerOf(promptly(client, left(), () => listRunning(client, names, type)));

  const aboutPushes = async () => {
    if (pushing === undefined) return { pushes: [], listed: true };
    const outside = new Set<string>([...pushing, ...removed]);
    const askOthers = async () => {
      const { answer: listed } = await running('push');
      return (
        listed &&
        askEach<PushState>(
          listed.filter((id) => !outside.has(id)),
          names.push,
        )
      );
    };
    const [known, others] = await Promise.all([
      askEach<PushState>(
        pushing.filter((id) => !removed.includes(id)),
        names.push,
      ),
      askOthers(),
    ]);
    return { pushes: [...known, ...(others ?? [])], listed: others !== undefined };
  };
  const aboutPulls = async () => {
    const roster = await ask<RosterState>(names.roster, 'roster');
    const primaries = roster.answer?.primaries.filter(isClusterId) ?? (await running('pull')).answer ?? [];
    return { roster, pulls: await askEach<PullState>(primaries, names.pull) };
  };
  const [{ pushes, listed }, { roster, pulls }, { answer: schedule, refusal: unread }] = await Promise.all([
    aboutPushes(),
    aboutPulls(),
    answerOf(promptly(client, left(), () => readSchedule(client, names.schedule))),
  ]);
  if (unread !== undefined && isNamespaceMissing(unread)) return nothingKnown(unread);
  const ended = pushes.flatMap(([id, { standing }]) => (standing === 'ended' ? [id] : []));
  // If Temporal does not answer, assume that no push was stopped on purpose, so that no cluster is overlooked.
  const stopped = await promptly(client, Math.max(left(), 1), () =>
    stoppedPushes(client, names, ended),
  ).catch((): ReadonlySet<string> => new Set());

  const missing = [
    ...aboutRoster(roster),
    ...pulls.flatMap(([id, pull]) => aboutPull(id, pull)),
    ...aboutRefusals(
      roster,
      [...pulls, ...pushes].map(([, asked]) => asked),
    ),
    ...aboutSilentPushes(pushes),
    ...aboutEndedPushes(pushes.filter(([id]) => !stopped.has(id))),
  ];
  if (!listed)
    missing.push('Temporal did not list the pushes: clusters that have never pushed are not shown.');
  if (schedule === undefined)
    missing.push(
      unread === undefined
        ? 'The schedule of the federations could not be read.'
        : `The schedule of the federations could not be read: ${unread.code}: ${unread.detail}`,
    );
  const push = answersOf(pushes);
  const pull = answersOf(pulls);
  return {
    ...(roster.answer !== undefined && { roster: roster.answer }),
    push,
    pull,
    conditions: reportedConditions(roster.answer, push, pull),
    ...(schedule !== undefined && { schedule }),
    stopped,
    pushing: pushes.flatMap(([id, { standing }]) => (standing === 'running' ? [id] : [])),
    missing,
  };
}

/** Returns the clusters whose workflow of this type runs, in the order of their ids. */
async function listRunning(client: Client, names: Names, type: 'push' | 'pull'): Promise<ClusterId[]> {
  const found: ClusterId[] = [];
  for await (const { cluster } of runningClusters(client, names, type)) found.push(cluster);
  return found.sort(byBytes);
}

function answersOf<State>(asked: readonly [ClusterId, Asked<State>][]): Map<string, State> {
  return new Map(asked.flatMap(([id, { answer }]) => (answer === undefined ? [] : [[id, answer] as const])));
}

/** Errors of Temporal without which the bucket can still be shown. */
const withoutTemporal: readonly ErrorCode[] = [
  'TEMPORAL_UNAVAILABLE',
  'TEMPORAL_ACCESS_DENIED',
  'TEMPORAL_THROTTLED',
];

function nothingKnown({ detail }: FederationError): TemporalView {
  return {
    push: new Map(),
    pull: new Map(),
    stopped: new Set(),
    pushing: [],
    conditions: [],
    missing: [
      `${detail} Primaries, running federations and exclusions newer than the last run are not shown.`,
    ],
  };
}

function aboutRoster({ answer, end, refusal }: Asked<RosterState>): string[] {
  if (answer !== undefined) return [];
  if (end !== undefined)
    return [
      `The roster has ended (${end}). A federator that runs starts it again within minutes; until then, exclusions newer than the last run are not shown.`,
    ];
  if (refusal !== undefined) return [`The roster could not be asked: ${refusal.code}: ${refusal.detail}`];
  return ['The roster does not answer: does a federator run?'];
}

function aboutPull(primary: string, { answer, end, refusal }: Asked<PullState>): string[] {
  if (answer !== undefined || refusal !== undefined) return [];
  if (end === undefined) return [`The primary ${primary} does not answer: does it run?`];
  return [
    `The pull of ${primary} has ended (${end}). If the primary runs, it starts it again within minutes.`,
  ];
}

/**
 * Returns a sentence for each reason why Temporal refuses to answer, or its answer cannot be decrypted. Each reason is
 * named once, and not again if the roster was refused for the same reason.
 */
function aboutRefusals(roster: Asked<RosterState>, others: readonly Asked<unknown>[]): string[] {
  const known = new Set([roster.refusal?.detail]);
  return others.flatMap(({ refusal }) => {
    if (refusal === undefined || known.has(refusal.detail)) return [];
    known.add(refusal.detail);
    return [`Not all processes could be asked: ${refusal.code}: ${refusal.detail}`];
  });
}

/** A cluster without a push workflow is not silent: its files may have come from elsewhere. */
function aboutSilentPushes(pushes: readonly [ClusterId, Asked<PushState>][]): string[] {
  const silent = pushes.flatMap(([id, { answer, refusal, standing }]) =>
    answer === undefined && refusal === undefined && (standing === 'running' || standing === 'unknown')
      ? [id]
      : [],
  );
  if (silent.length === 0) return [];
  if (silent.length === 1) return [`The cluster ${silent[0]} does not answer: does it run?`];
  return [`${silent.length} clusters do not answer: ${shortList(silent)}. Do they run?`];
}

function aboutEndedPushes(pushes: readonly [ClusterId, Asked<PushState>][]): string[] {
  const ended = pushes.flatMap(([id, { end }]) => (end === undefined ? [] : [{ id, end }]));
  const [first] = ended;
  if (first === undefined) return [];
  const again = 'A cluster that runs starts it again within minutes.';
  if (ended.length === 1) return [`The push workflow of ${first.id} has ended: ${first.end}. ${again}`];
  const list = shortList(ended.map(({ id, end }) => `${id} (${end})`));
  return [`${ended.length} push workflows have ended: ${list}. ${again}`];
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
