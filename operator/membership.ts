import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { readNewestReadable } from '../activities/read-generations';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import type { Generation } from '../federation/generation';
import { describeRemoved } from '../federation/removal';
import type { FederationRequest } from '../federation/run';
import {
  type ClusterMessage,
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  type RosterAnswer,
  type RosterState,
  rosterState,
} from '../workflows/messages';
import { names } from '../workflows/names';
import { type DryRun, dryRun } from './dry-run';
import { findKnownCluster, type KnownCluster } from './known-cluster';
import type { Operator } from './operator';
import { promptly } from './promptly';

export type MembershipChange = 'exclude' | 'include';

/** Result of a change of membership. `exclude --json` and `include --json` print it. */
export interface MembershipAnswer extends RosterAnswer {
  /** The run in progress that commits the change. */
  readonly run?: string;
  /**
   * Number of the newest generation, if it already contains the change. Undefined if only Temporal knows the change so
   * far.
   */
  readonly generation?: number;
  /** One sentence that says why the request had no effect. Undefined if it had an effect. */
  readonly unchanged?: string;
  /** True if the cluster stays excluded although it was to be included, because the settings exclude it. */
  readonly stillExcluded?: true;
}

/**
 * Excludes or includes a cluster. The answer says whether the change already applies to the run in progress, and
 * whether it is in the bucket.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster; CLUSTER_REMOVED if the cluster is removed; TEMPORAL_UNAVAILABLE
 *   if there is no roster
 */
export async function changeMembership(
  operator: Operator,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<MembershipAnswer> {
  const { cluster, generation: newest } = await requireChangeable(operator, message.cluster);
  const { client } = await operator.temporal();
  if (kind === 'include' && !(await mayBeExcludedByPerson(operator, cluster, newest)))
    return nothingToInclude(cluster, newest);
  // Change the roster first: the next run reads the roster, so the change reaches that run even if the run in progress
  // does not accept it.
  const roster = client.workflow.getHandle(operator.names.roster);
  const signal = kind === 'exclude' ? excludeCluster : includeCluster;
  await promptly(client, serverAnswersWithinMs, () => roster.signal(signal, message)).catch(noRoster);
  const answer = await changeRunInProgress(client, operator.settings.temporal.idPrefix, kind, message);
  const committed = await generationThatSays(operator, kind, cluster);
  return {
    ...(answer ?? { cluster, from: 'in the next' }),
    ...(committed !== undefined && { generation: committed }),
  };
}

/**
 * Plans the federation that would commit a change of membership. Changes nothing.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster; CLUSTER_REMOVED if the cluster is removed
 */
export async function previewMembership(
  operator: Parameters<typeof dryRun>[0],
  kind: MembershipChange,
  { cluster: id, reason = '' }: ClusterMessage,
  request: FederationRequest,
): Promise<DryRun> {
  const { cluster } = await requireChangeable(operator, id);
  return dryRun(operator, request, ({ [cluster]: already, ...others }) =>
    kind === 'include' ? others : { ...others, [cluster]: already ?? { reason, at: request.at } },
  );
}

/**
 * Returns false if it is certain that no person has excluded the cluster, neither in the roster nor in the newest
 * generation.
 */
async function mayBeExcludedByPerson(
  operator: Operator,
  cluster: ClusterId,
  newest: Generation | undefined,
): Promise<boolean> {
  if (ownValue(newest?.membership.exclusions, cluster) !== undefined) return true;
  const { client } = await operator.temporal();
  const roster = await promptly(client, rosterAnswersWithinMs, () =>
    client.workflow.getHandle(operator.names.roster).query<RosterState>(rosterState),
  ).catch(() => undefined);
  return roster?.loaded !== true || Object.hasOwn(roster.exclusions, cluster);
}

/**
 * Returns the answer to a request to include a cluster that no person has excluded. The settings may still exclude it.
 */
function nothingToInclude(cluster: ClusterId, newest: Generation | undefined): MembershipAnswer {
  const excluded = ownValue(newest?.membership.excluded, cluster);
  const bySettings = excluded?.by === 'settings';
  return {
    cluster,
    from: 'in the next',
    ...(newest !== undefined && { generation: newest.generation }),
    ...(bySettings && { stillExcluded: true }),
    unchanged: bySettings
      ? `${cluster} is excluded by the settings of the federator (${excluded.reason}). Only a change of these settings includes it. Nothing was changed.`
      : `${cluster} is not excluded. Nothing was changed.`,
  };
}

async function requireChangeable({ bucket }: Pick<Operator, 'bucket'>, id: string): Promise<KnownCluster> {
  const known = await findKnownCluster(await bucket(), id);
  const { cluster, generation } = known;
  const removed = ownValue(generation?.membership.removed, cluster);
  if (removed === undefined) return known;
  throw new FederationError('CLUSTER_REMOVED', {
    subject: { cluster },
    detail: `${cluster} was ${describeRemoved(removed)}.`,
  });
}

/**
 * Returns the number of the newest generation if this generation already contains the change. Returns undefined if the
 * change is not in the bucket yet.
 */
export async function generationThatSays(
  operator: Operator,
  kind: MembershipChange,
  cluster: string,
): Promise<number | undefined> {
  const { generation: newest, damaged } = await readNewestReadable(await operator.bucket());
  if (newest === undefined || damaged.length > 0) return undefined;
  const excluded = Object.hasOwn(newest.membership.exclusions, cluster);
  return excluded === (kind === 'exclude') ? newest.generation : undefined;
}

/**
 * Describes a change of membership in one sentence. If the change is not committed yet, the sentence says that only
 * Temporal knows the change. If Temporal loses its data before the commit, the change is lost, because a new roster
 * knows only what the newest generation says.
 */
export function describeChange(
  kind: MembershipChange,
  { cluster, from, generation, unchanged }: MembershipAnswer,
): string {
  if (unchanged !== undefined) return unchanged;
  if (generation !== undefined) return `${cluster} is ${kind}d: generation ${generation} says so.`;
  const [when, commits] =
    from === 'in this run'
      ? ['in the run in progress', 'that run commits']
      : ['from the next federation on', 'that federation commits'];
  return `${cluster} is ${kind}d ${when}; until ${commits}, only Temporal knows this.`;
}

function noRoster(error: unknown): never {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  throw new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: 'No roster runs in this Temporal namespace.',
    hint: 'If a federator runs, it starts the roster within minutes. If not, start one, or correct temporal.address, temporal.namespace or temporal.idPrefix.',
    cause: error,
  });
}

/** Time to wait for an answer from the roster, in milliseconds. It does not answer while no federator runs. */
const rosterAnswersWithinMs = 3_000;
/** Time to wait for an answer from the Temporal server, in milliseconds. */
const serverAnswersWithinMs = 10_000;
/**
 * Time to wait for an answer from a run, in milliseconds. A run does not answer during its commit: only after the
 * commit does the run know whether the change still applies to it.
 */
const runAnswersWithinMs = 60_000;
const noAnswer = [WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError];

/** Sends the change to the run in progress, if there is one. Returns undefined if no run answered. */
async function changeRunInProgress(
  client: Client,
  idPrefix: string,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<MembershipAnswer | undefined> {
  const update = kind === 'exclude' ? excludeClusterUpdate : includeClusterUpdate;
  const running = await promptly(client, serverAnswersWithinMs, () => runningFederations(client, idPrefix));
  for (const run of running) {
    const handle = client.workflow.getHandle(run);
    try {
      const answer = await promptly(client, runAnswersWithinMs, () =>
        handle.executeUpdate(update, { args: [message] }),
      );
      return answer.from === 'in this run' ? { ...answer, run } : answer;
    } catch (error) {
      // Ignore the error if the run ended, does not know the cluster, or has no worker. The next
      // commit reads the change from the roster.
      const isIgnored =
        isFederationError(error, 'TEMPORAL_UNAVAILABLE') || noAnswer.some((kind) => error instanceof kind);
      if (!isIgnored) throw error;
    }
  }
  return undefined;
}

async function runningFederations(client: Client, idPrefix: string): Promise<string[]> {
  const prefix = names(idPrefix).federation('');
  const query = "WorkflowType = 'federation' AND ExecutionStatus = 'Running'";
  const found: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query }))
    if (workflowId.startsWith(prefix)) found.push(workflowId);
  return found;
}
