import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import type { PullSummary } from '../activities/pull-summary';
import type { PushSummary } from '../activities/push-local-etl';
import type { Exclusion } from '../federation/membership';
import type { MergeCounts } from './merge-counts';

/** A person's request to exclude or include a cluster. It is one JSON argument, as the Temporal UI sends it. */
export interface ClusterMessage {
  readonly cluster: string;
  readonly reason?: string;
}

/** The first run in which a change of the roster takes effect. */
export interface RosterAnswer {
  readonly cluster: string;
  readonly from: 'in this run' | 'in the next';
}

/** Parses `{"cluster": "cluster-3", "reason": "…"}` or a bare `"cluster-3"`. Returns undefined for anything else. */
export function parseClusterMessage(message: unknown): ClusterMessage | undefined {
  if (typeof message === 'string') return message === '' ? undefined : { cluster: message };
  if (typeof message !== 'object' || message === null || !('cluster' in message)) return undefined;
  const { cluster } = message;
  if (typeof cluster !== 'string' || cluster === '') return undefined;
  const reason = 'reason' in message && typeof message.reason === 'string' ? message.reason : undefined;
  return { cluster, reason };
}

/**
 * Takes a cluster out of every window. The update of the same name also returns the run from which this takes effect.
 */
export const excludeCluster = defineSignal<[ClusterMessage | string]>('excludeCluster');
export const excludeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('excludeCluster');

/**
 * Brings a cluster back with its history. The update of the same name also returns the run from which this takes
 * effect.
 */
export const includeCluster = defineSignal<[ClusterMessage | string]>('includeCluster');
export const includeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('includeCluster');

/** The phases of a run, in order. A run may return to planning. */
export const federationPhases = [
  'waiting for an earlier run',
  'planning',
  'merging',
  'committing',
  'committed',
  'reporting',
  'done',
] as const;
export type FederationPhase = (typeof federationPhases)[number];

/** The progress of a run. */
export interface FederationProgress {
  readonly run: string;
  readonly phase: FederationPhase;
  /** Number of plans so far. The run plans again if the membership or the newest generation has changed. */
  readonly attempt: number;
  /** Generation that the run starts from; 0 if there is none. */
  readonly base: number;
  readonly clusters: number;
  readonly excluded: readonly string[];
  /** Number of all windows; `planned` is the number of windows to merge. */
  readonly windows: number;
  readonly planned: number;
  readonly merged: number;
  /** Number of quarantined sources. */
  readonly quarantined: number;
  readonly generation?: number;
}
export const progress = defineQuery<FederationProgress>('progress');

/** The progress of one of the child workflows that merge for a run. */
export interface LaneProgress {
  /** Which of the run's plans the child merges, counted from 1. */
  readonly attempt: number;
  readonly lane: number;
  /** Totals of the lane so far. */
  readonly counts: MergeCounts;
}
export const windowsMerged = defineSignal<[LaneProgress]>('windowsMerged');

/** Asks the roster to notify a primary of each new generation. `forgetPrimary` asks it to stop. */
export const registerPrimary = defineSignal<[{ cluster: string }]>('registerPrimary');
export const forgetPrimary = defineSignal<[{ cluster: string }]>('forgetPrimary');

export interface RosterState {
  /** Bucket that the federation of this namespace works on. */
  readonly bucket: string;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly primaries: readonly string[];
  /** False until the exclusions of the newest generation are loaded. Until then, `exclusions` is incomplete. */
  readonly loaded: boolean;
}
export const rosterState = defineQuery<RosterState>('roster');

/** Current settings of a cluster, sent by its worker. Signals from other senders have no settings. */
export interface LoopSettings {
  /** Approximate longest wait before the next attempt, in milliseconds. */
  readonly everyMs?: number;
  /**
   * Whether the cluster uses the store of Kubecost's backup. The push workflow keeps this in its memo, where other
   * clusters read it.
   */
  readonly existingConfig?: boolean;
}

/** Requests a push. Sent after a change in the local ETL store, when a worker starts, or by a person. */
export const pushNow = defineSignal<[LoopSettings?]>('push');

/** Reports that a cluster pushed something. The workflow that receives it runs only if federations start on a push. */
export const pushed = defineSignal('pushed');

/** The outcome of the last attempt of a cluster's long-lived workflow. */
export interface Attempted<Summary> {
  readonly at?: string;
  readonly summary?: Summary;
  /** Set while attempts fail; `since` is the time of the first of these failures. */
  readonly error?: { readonly code: string; readonly message: string; readonly since: string };
}
export interface PushState extends Attempted<PushSummary> {
  readonly cluster: string;
  /** Id of the volume that this cluster id belongs to. */
  readonly instance: string;
}
export const pushState = defineQuery<PushState>('state');

/** Requests a pull. Sent after a commit, when a worker starts, or by a person. */
export const pullNow = defineSignal<[LoopSettings?]>('pull');

export interface PullState extends Attempted<PullSummary> {
  readonly cluster: string;
}
export const pullState = defineQuery<PullState>('state');

/**
 * Makes the cluster stop being a primary, or become one again (`enterPrimaryUpdate`). Leaving returns once the local
 * ETL holds the cluster's own files again.
 */
export const leavePrimaryUpdate = defineUpdate<LeaveSummary, []>('leavePrimary');
export const enterPrimaryUpdate = defineUpdate<EnterPrimarySummary, []>('enterPrimary');
/** Lets a primary that waits for its own windows pull without them. */
export const skipWaitingUpdate = defineUpdate<EnterPrimarySummary, []>('skipWaiting');
/** Adds a name to the cluster names that the cluster's own records may have, for example one that it had earlier. */
export const addOwnNameUpdate = defineUpdate<void, [{ name: string }]>('addOwnName');
/** Reads the primary's state from its volume. It is an update, since only the primary's worker has the volume. */
export const primaryStatusUpdate = defineUpdate<PrimaryStatus, []>('primaryStatus');
