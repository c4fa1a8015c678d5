import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import type { PullSummary } from '../activities/pull-summary';
import type { PushSummary } from '../activities/push-local-etl';
import type { Exclusion } from '../federation/membership';
import type { MergeCounts } from './merge-counts';

/** A person's request to exclude or include a cluster: one JSON argument, as the Temporal UI sends it. */
export interface ClusterMessage {
  readonly cluster: string;
  readonly reason?: string;
}

/** The first run in which a change of the roster counts. */
export interface RosterAnswer {
  readonly cluster: string;
  readonly from: 'in this run' | 'in the next';
}

/** Accepts `{"cluster": "cluster-3", "reason": "…"}` and a bare `"cluster-3"`; undefined for anything else. */
export function parseClusterMessage(message: unknown): ClusterMessage | undefined {
  if (typeof message === 'string') return message === '' ? undefined : { cluster: message };
  if (typeof message !== 'object' || message === null || !('cluster' in message)) return undefined;
  const { cluster } = message;
  if (typeof cluster !== 'string' || cluster === '') return undefined;
  const reason = 'reason' in message && typeof message.reason === 'string' ? message.reason : undefined;
  return { cluster, reason };
}

/** Takes a cluster out of every window. The update of the same name also returns from which run on. */
export const excludeCluster = defineSignal<[ClusterMessage | string]>('excludeCluster');
export const excludeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('excludeCluster');

/** Brings a cluster back with its history. The update of the same name also returns from which run on. */
export const includeCluster = defineSignal<[ClusterMessage | string]>('includeCluster');
export const includeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('includeCluster');

/** The phases of a run, in order; it may return to planning. */
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
  /** Incremented if the run plans again because the membership or the newest generation changed. */
  readonly attempt: number;
  /** The generation that it starts from; 0 if there is none. */
  readonly base: number;
  readonly clusters: number;
  readonly excluded: readonly string[];
  /** All windows; `planned` are those to merge. */
  readonly windows: number;
  readonly planned: number;
  readonly merged: number;
  /** Quarantined sources. */
  readonly quarantined: number;
  readonly generation?: number;
}
export const progress = defineQuery<FederationProgress>('progress');

/** The progress of one of the child workflows that merge for a run. */
export interface LaneProgress {
  /** The number of the run's plan that it merges. */
  readonly attempt: number;
  readonly lane: number;
  /** The lane's totals so far. */
  readonly counts: MergeCounts;
}
export const windowsMerged = defineSignal<[LaneProgress]>('windowsMerged');

/** Asks the roster to notify a primary of each new generation, or no longer to. */
export const registerPrimary = defineSignal<[{ cluster: string }]>('registerPrimary');
export const forgetPrimary = defineSignal<[{ cluster: string }]>('forgetPrimary');

export interface RosterState {
  /** The bucket that this namespace's federation works on. */
  readonly bucket: string;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly primaries: readonly string[];
  /** False until the newest generation's exclusions are loaded; until then `exclusions` is incomplete. */
  readonly loaded: boolean;
}
export const rosterState = defineQuery<RosterState>('roster');

/** Current settings, sent by a starting worker; other senders omit them. */
export interface LoopSettings {
  /** Approximate longest wait before looking again, in milliseconds. */
  readonly everyMs?: number;
  /** Whether the cluster uses the store of Kubecost's backup. Kept in the push workflow's memo for other clusters. */
  readonly existingConfig?: boolean;
}

/** Requests a push: sent on a change in the local ETL store, at a worker's start, or by a person. */
export const pushNow = defineSignal<[LoopSettings?]>('push');

/** Sent after a cluster pushed something, if federations start on a push. */
export const pushed = defineSignal('pushed');

/** The last attempt of a cluster's long-lived workflow. */
export interface Attempted<Summary> {
  readonly at?: string;
  readonly summary?: Summary;
  /** Set while attempts fail; `since` is the time of the first failure in a row. */
  readonly error?: { readonly code: string; readonly message: string; readonly since: string };
}
export interface PushState extends Attempted<PushSummary> {
  readonly cluster: string;
  /** The volume that this cluster id belongs to. */
  readonly instance: string;
}
export const pushState = defineQuery<PushState>('state');

/** Requests a pull: sent after a commit, at a worker's start, or by a person. */
export const pullNow = defineSignal<[LoopSettings?]>('pull');

export interface PullState extends Attempted<PullSummary> {
  readonly cluster: string;
}
export const pullState = defineQuery<PullState>('state');

/** Stops being a primary, or becomes one again. Returns when the local ETL is in order. */
export const leavePrimaryUpdate = defineUpdate<LeaveSummary, []>('leavePrimary');
export const enterPrimaryUpdate = defineUpdate<EnterPrimarySummary, []>('enterPrimary');
/** Lets a primary that waits for its own windows pull without them. */
export const skipWaitingUpdate = defineUpdate<EnterPrimarySummary, []>('skipWaiting');
/** Adds a cluster name of the cluster's own records, such as an earlier one. */
export const addOwnNameUpdate = defineUpdate<void, [{ name: string }]>('addOwnName');
/** Reads the state on the primary's volume: an update, since only its worker has the volume. */
export const primaryStatusUpdate = defineUpdate<PrimaryStatus, []>('primaryStatus');
