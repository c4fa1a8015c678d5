import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { MergeCounts } from './merge-counts';
import type { Exclusion } from '../federation/membership';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import type { PullSummary } from '../activities/pull-combined';
import type { PushSummary } from '../activities/push-local-etl';

/** What a person sends to take a cluster out or to bring it back: one JSON argument, as the Temporal UI sends one. */
export interface ClusterMessage {
  readonly cluster: string;
  readonly reason?: string;
}

/** From which run on a change of the roster counts. */
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

/** Takes a cluster out of every window. Also an update of the same name, which answers from when on. */
export const excludeCluster = defineSignal<[ClusterMessage | string]>('excludeCluster');
export const excludeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('excludeCluster');

/** Brings a cluster back with its history. Also an update of the same name. */
export const includeCluster = defineSignal<[ClusterMessage | string]>('includeCluster');
export const includeClusterUpdate = defineUpdate<RosterAnswer, [ClusterMessage | string]>('includeCluster');

/** What a run does, in this order; it may plan again. */
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

/** How far a run is. */
export interface FederationProgress {
  readonly run: string;
  readonly phase: FederationPhase;
  /** Counts up when the run plans again: membership or the generation changed under it. */
  readonly attempt: number;
  /** The generation that it starts from; 0: there is none yet. */
  readonly base: number;
  readonly clusters: number;
  readonly excluded: readonly string[];
  /** Windows in all, and those whose sources changed. */
  readonly windows: number;
  readonly planned: number;
  readonly merged: number;
  /** Quarantined sources. */
  readonly quarantined: number;
  readonly generation?: number;
}
export const progress = defineQuery<FederationProgress>('progress');

/** How far one of the children is that merge for a run. */
export interface LaneProgress {
  /** The run's plan that it merges. */
  readonly attempt: number;
  readonly lane: number;
  /** All that the lane did so far. */
  readonly counts: MergeCounts;
}
export const windowsMerged = defineSignal<[LaneProgress]>('windowsMerged');

/** Asks the roster to have a primary told of each new generation. */
export const registerPrimary = defineSignal<[{ cluster: string }]>('registerPrimary');
export const forgetPrimary = defineSignal<[{ cluster: string }]>('forgetPrimary');

export interface RosterState {
  /** The bucket that this namespace's federation works on. */
  readonly bucket: string;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly primaries: readonly string[];
  /** False until the newest generation was asked who is excluded: what it says is not complete before. */
  readonly loaded: boolean;
}
export const rosterState = defineQuery<RosterState>('roster');

/** A start of the worker says what its settings are by now; everybody else sends nothing. */
export interface LoopSettings {
  /** About how long to wait at most before looking again, in milliseconds. */
  readonly everyMs?: number;
  /** Whether the cluster uses the store of Kubecost's backup: a memo of its push, for the other clusters to see. */
  readonly existingConfig?: boolean;
}

/** A change in the local ETL store, a start, or a person: look for what differs and push it. */
export const pushNow = defineSignal<[LoopSettings?]>('push');

/** A cluster pushed something, where federations begin on a push. */
export const pushed = defineSignal('pushed');

/** What a long-lived worker of a cluster did last. */
export interface Attempted<Summary> {
  readonly at?: string;
  readonly summary?: Summary;
  /** Set while the last attempt failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly since: string };
}
export interface PushState extends Attempted<PushSummary> {
  readonly cluster: string;
  /** The volume that this cluster id belongs to. */
  readonly instance: string;
}
export const pushState = defineQuery<PushState>('state');

/** A new generation, or a person: pull it. */
export const pullNow = defineSignal<[LoopSettings?]>('pull');

export interface PullState extends Attempted<PullSummary> {
  readonly cluster: string;
}
export const pullState = defineQuery<PullState>('state');

/** Stops being a primary, or becomes one again; answers when the local ETL is in order. */
export const leavePrimaryUpdate = defineUpdate<LeaveSummary, []>('leavePrimary');
export const enterPrimaryUpdate = defineUpdate<EnterPrimarySummary, []>('enterPrimary');
/** Lets a primary that waits for its own windows pull without them. */
export const skipWaitingUpdate = defineUpdate<EnterPrimarySummary, []>('skipWaiting');
/** Adds a name that the cluster's own records carry, such as one that it had before. */
export const addOwnNameUpdate = defineUpdate<void, [{ name: string }]>('addOwnName');
/** Reads the state on the primary's volume: an update, since only its worker has the volume. */
export const primaryStatusUpdate = defineUpdate<PrimaryStatus, []>('primaryStatus');
