import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ExportedGeneration } from '../activities/cluster-activities';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeavePrimaryInput, LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import type { PullSummary } from '../activities/pull-summary';
import type { PushSummary } from '../activities/push-local-etl';
import type { KeptError } from '../errors/hints';
import { isClusterId } from '../etl/cluster-id';
import type { Condition } from '../federation/conditions';
import type { GenerationIdentity } from '../federation/identity';
import type { Exclusion, FollowedGeneration, RosterRules } from '../federation/membership';
import type { MergeCounts } from './merge-counts';

/** A person's request to exclude or include a cluster. The Temporal UI sends it as a single JSON argument. */
export interface ClusterMessage {
  readonly cluster: string;
  readonly reason?: string;
}

/** Tells whether an exclusion or inclusion takes effect in the current run or in the next one. */
export interface RosterAnswer {
  readonly cluster: string;
  readonly from: 'in this run' | 'in the next';
}

/**
 * Parses `{"cluster": "cluster-3", "reason": "…"}`, or just `"cluster-3"`. Returns undefined for any other message, and
 * if the given text cannot be a cluster id.
 */
export function parseClusterMessage(message: unknown): ClusterMessage | undefined {
  if (typeof message === 'string') return isClusterId(message) ? { cluster: message } : undefined;
  if (typeof message !== 'object' || message === null || !('cluster' in message)) return undefined;
  const { cluster } = message;
  if (typeof cluster !== 'string' || !isClusterId(cluster)) return undefined;
  const reason = 'reason' in message && typeof message.reason === 'string' ? message.reason : undefined;
  return { cluster, reason };
}

/**
 * Excludes a cluster from every window. The Temporal update with the same name also returns whether this takes effect
 * in the current run or in the next one.
 */
export const excludeCluster = defineSignal<[ClusterMessage | string]>('excludeCluster');
export const excludeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('excludeCluster');

/**
 * Includes a cluster again, with all of its history. The Temporal update with the same name also returns whether this
 * takes effect in the current run or in the next one.
 */
export const includeCluster = defineSignal<[ClusterMessage | string]>('includeCluster');
export const includeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('includeCluster');

/**
 * The phases of a run, in order. If a rollback prevents the run from committing, its phase is `on hold` instead of
 * merging. If the membership or the newest generation changes before the commit, the run returns to planning.
 */
export const federationPhases = [
  'waiting for an earlier run',
  'planning',
  'merging',
  'committing',
  'committed',
  'on hold',
  'reporting',
  'done',
] as const;
export type FederationPhase = (typeof federationPhases)[number];

/** The progress of a federation run. */
export interface FederationProgress {
  readonly run: string;
  readonly phase: FederationPhase;
  /**
   * Number of plans that the run has made so far. The run plans again if the membership or the newest generation
   * changes before its commit.
   */
  readonly attempt: number;
  /** Number of the generation on which the plan is based; 0 if there is none. */
  readonly base: number;
  readonly clusters: number;
  readonly excluded: readonly string[];
  /** Number of all windows: those to merge (`planned`), and those carried over unchanged. */
  readonly windows: number;
  readonly planned: number;
  readonly merged: number;
  /** Number of quarantined sources. */
  readonly quarantined: number;
  /** Number of shrunk sources that the committed generation reports; 0 before the commit. */
  readonly shrunk: number;
  readonly generation?: number;
}
export const progress = defineQuery<FederationProgress>('progress');

/** The progress of a child workflow (lane) that merges part of a run's plan. */
export interface LaneProgress {
  /** Number of the plan to which the counts belong. 1 is the run's first plan; a run may plan several times. */
  readonly attempt: number;
  readonly lane: number;
  /** Total counts of the lane so far. */
  readonly counts: MergeCounts;
}
export const windowsMerged = defineSignal<[LaneProgress]>('windowsMerged');

/** Asks the roster to notify a primary of each new generation. `forgetPrimary` ends these notifications. */
export const registerPrimary = defineSignal<[{ cluster: string }]>('registerPrimary');
export const forgetPrimary = defineSignal<[{ cluster: string }]>('forgetPrimary');

/**
 * Reports the newest generation after a commit. Federators compare the bucket with it, to notice that the bucket was
 * emptied, replaced, or restored to an earlier state.
 */
export const noteGeneration = defineSignal<[GenerationIdentity]>('noteGeneration');

/** The conditions of one role of a cluster, as the cluster's process reports them. */
export interface ConditionsReport {
  readonly cluster: string;
  readonly conditions: readonly Condition[];
}

/**
 * Reports the conditions of a role. A process sends this signal after its start and after each change. The conditions
 * of a federator go to the roster, those of a Federated Cluster to its push workflow, and those of a primary to its
 * pull workflow.
 */
export const reportConditions = defineSignal<[ConditionsReport]>('reportConditions');

export interface RosterState {
  /** Id of this roster. It stays the same when the workflow continues as new, but not when it is started again. */
  readonly id: string;
  /** The generation that was the newest when this roster was started. Undefined if there was none. */
  readonly follows?: FollowedGeneration;
  /** The newest generation that the roster knows. Undefined if it knows none yet. */
  readonly known?: GenerationIdentity;
  /** Bucket of the federation that uses this Temporal namespace. */
  readonly bucket: string;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly primaries: readonly string[];
  /** True once the exclusions of the newest generation have been loaded. Until then, `exclusions` is incomplete. */
  readonly loaded: boolean;
  /** The conditions of each federator that has reported them, by cluster id. */
  readonly conditions?: Readonly<Record<string, readonly Condition[]>>;
}
export const rosterState = defineQuery<RosterState>('roster');

/** Returns the part of the roster's state that federators need. */
export function rulesOf({ id, exclusions, follows, known }: RosterState): RosterRules {
  return { exclusions, roster: id, follows, known };
}

/** Current settings of a cluster, sent with a signal by the cluster's worker. Signals from other senders omit them. */
export interface LoopSettings {
  /** Approximate maximum time until the next attempt, in milliseconds. */
  readonly everyMs?: number;
  /**
   * True if the cluster uses the existing storage configuration of Kubecost's backup. The push workflow stores this in
   * its memo, where other clusters can read it.
   */
  readonly existingConfig?: boolean;
}

/** Requests a push. Sent when the local ETL has changed, when a worker starts, or when a person asks for a push. */
export const pushNow = defineSignal<[LoopSettings?]>('push');

/**
 * Reports that a cluster has pushed files. The receiving workflow exists only if the settings enable federation on
 * push.
 */
export const pushed = defineSignal('pushed');

/**
 * State of the push or pull workflow of a cluster. `at` is the time of the last attempt. `summary` is the result of the
 * last successful attempt.
 */
export interface Attempted<Summary> {
  readonly at?: string;
  readonly summary?: Summary;
  /** Set if the last attempt failed. `since` is the time of the first failure after the last success. */
  readonly error?: KeptError & { readonly since: string };
}

/** Part of a workflow's state: the conditions of the role to which the workflow belongs, as last reported. */
export interface Reported {
  readonly conditions?: readonly Condition[];
}
export interface PushState extends Attempted<PushSummary>, Reported {
  readonly cluster: string;
  /** Id of the volume to which the cluster id is bound. */
  readonly instance: string;
}
export const pushState = defineQuery<PushState>('state');

/** Requests a pull. Sent after a commit, when a worker starts, or by a person. */
export const pullNow = defineSignal<[LoopSettings?]>('pull');

export interface PullState extends Attempted<PullSummary>, Reported {
  readonly cluster: string;
  /** State of the export. Undefined if the settings ask for no export. A failing export does not delay pulls. */
  readonly export?: Attempted<ExportedGeneration>;
}
export const pullState = defineQuery<PullState>('state');

/**
 * Makes the cluster stop being a primary. Completes when the local ETL contains the cluster's own files again.
 * `enterPrimaryUpdate` makes the cluster a primary again. With `dryRun`, changes nothing.
 */
export const leavePrimaryUpdate = defineUpdate<LeaveSummary, [LeavePrimaryInput]>('leavePrimary');
export const enterPrimaryUpdate = defineUpdate<EnterPrimarySummary, []>('enterPrimary');
/** Lets a primary pull even though its own windows have not been combined yet. */
export const skipWaitingUpdate = defineUpdate<EnterPrimarySummary, []>('skipWaiting');
/**
 * Lets the next pull switch to the given federation, even if its newest generation does not continue the one that was
 * pulled before.
 */
export const acceptFederationUpdate = defineUpdate<EnterPrimarySummary, [{ federation: string }]>(
  'acceptFederation',
);
/** Adds a name by which the cluster recognizes its own records, such as a former cluster id. */
export const addOwnNameUpdate = defineUpdate<void, [{ name: string }]>('addOwnName');
/**
 * Reads the state of a primary from its volume. It is an update, not a query, because queries cannot run activities.
 */
export const primaryStatusUpdate = defineUpdate<PrimaryStatus, []>('primaryStatus');
