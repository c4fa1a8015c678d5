import { mapConcurrently } from '../concurrency/map-concurrently';
import { readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Hold } from '../federation/generation';
import { inShards, type PlanHead, type PlannedWindow, type PlanShard } from '../federation/plan-document';
import { namesInResults, type NamesOfSource } from '../federation/plan-names';
import { type FederationRequest, shorten } from '../federation/run';
import type { Bucket, CallOptions } from '../storage/bucket';
import { drawPlan } from './draw-plan';
import type { DrawnPlan, PlanOutcome } from './drawn-plan';
import type { FederationDependencies } from './federation-dependencies';
import { logPlan } from './log-plan';

export interface PlanFederationInput {
  readonly run: string;
  /**
   * Number of the attempt, starting at 1. A run plans again if the bucket or the membership changed before its commit.
   */
  readonly attempt: number;
  readonly request: FederationRequest;
}

/** The number of clusters, and the ids of the first ones. */
export interface ClusterSummary {
  readonly count: number;
  /** Ids of the first clusters: at most 50, or fewer if the ids are long. */
  readonly ids: string[];
}

export interface PlanSummary {
  readonly outcome: PlanOutcome;
  readonly attempt: number;
  /** Number of the generation on which the plan is based; 0 if there is none. */
  readonly base: number;
  readonly clusters: ClusterSummary;
  readonly excluded: ClusterSummary;
  /** Number of all windows: those to merge plus those carried over unchanged. */
  readonly windows: number;
  readonly planned: number;
  readonly carried: number;
  /** Number of ignored files. A file is ignored if its cluster has another, preferred file for the same window. */
  readonly duplicates: number;
  /** Number of shards, each of at most 50 windows. */
  readonly shards: number;
  /** If the outcome is `on-hold`: the hold. */
  readonly heldBy?: Hold;
}

/**
 * Number of shards that are written concurrently. It is low because each shard is held in memory as text while it is
 * written.
 */
const concurrentWrites = 4;

/** Maximum length of a reason in the summary, in characters, so that the summary fits into a Temporal payload. */
const longestReason = 500;

export type PlanFederation = (input: PlanFederationInput) => Promise<PlanSummary>;
export type PlanDependencies = Omit<FederationDependencies, 'threads' | 'generations'>;

/**
 * Creates the activity that plans a federation and writes the plan for the activities that follow. Writes the shards
 * (parts of up to 50 windows) first, then the head, which lists them.
 *
 * @throws FEDERATOR_CONFLICT if another federator committed the last generation with other settings, or with other
 *   exclusions from another roster. Not thrown if the request sets `takeOver`.
 * @throws FEDERATION_MISSING or FEDERATION_OTHER if the bucket does not contain the federation that the roster knows,
 *   and the request does not set `newFederation`
 */
export function createPlanFederation(deps: PlanDependencies): PlanFederation {
  const { bucket, federator, scope, log } = deps;
  const otherFederators = new Set<string>();
  return async ({ run, attempt, request }) => {
    const signal = deps.signal();
    const now = deps.now();
    const drawn = await drawPlan(bucket, {
      federator,
      scope,
      ...(await deps.roster()),
      request,
      found: await foundBefore(bucket, run, attempt, { signal }),
      now,
      signal,
      onProgress: (listed, of) => deps.heartbeat({ listed, of }),
    });
    logPlan(log.child({ run }), drawn, otherFederators);
    for (const warning of await deps.storeWarnings())
      log.warn({ event: 'federation.unsafe-store', run }, `Federator: ${warning}`);
    const hasPlan = drawn.outcome === 'work' || drawn.outcome === 'nothing-changed';
    const shards = hasPlan ? inShards(drawn.windows) : [];
    if (hasPlan)
      await writePlan(
        bucket,
        run,
        attempt,
        drawn,
        shards,
        { now: now.getTime() / 1_000, shrinkage: deps.shrinkage },
        signal,
      );
    const { membership } = drawn;
    return {
      outcome: drawn.outcome,
      attempt,
      base: drawn.base,
      clusters: shorten(membership.clusters),
      excluded: shorten(Object.keys(membership.excluded)),
      windows: drawn.windows.length + drawn.carried.length,
      planned: drawn.windows.length,
      carried: drawn.carried.length,
      duplicates: drawn.duplicates.length,
      shards: shards.length,
      ...(drawn.heldBy && {
        heldBy: { ...drawn.heldBy, reason: drawn.heldBy.reason.slice(0, longestReason) },
      }),
    };
  };
}

/**
 * Returns the names that the previous attempt of the run found in files of clusters that do not own them, and these
 * files. If names belong to other clusters, the current attempt quarantines the files. If the record of the previous
 * attempt cannot be read, the current attempt finds the names again.
 */
async function foundBefore(
  bucket: Bucket,
  run: string,
  attempt: number,
  options: CallOptions,
): Promise<NamesOfSource[]> {
  if (attempt === 1) return [];
  const head = await readIntact(bucket, documents.planHead.at(run, attempt - 1), options);
  const found: NamesOfSource[] = [];
  for (const shard of head?.shards.keys() ?? []) {
    const document = documents.shardOutcome.at(run, attempt - 1, shard);
    found.push(...namesInResults((await readIntact(bucket, document, options))?.windows ?? []));
  }
  return found;
}

async function writePlan(
  bucket: Bucket,
  run: string,
  attempt: number,
  drawn: DrawnPlan,
  shards: readonly PlannedWindow[][],
  judged: Pick<PlanShard, 'now' | 'shrinkage'>,
  signal: AbortSignal,
): Promise<void> {
  const { base, newest, number, replaces, hold, federation, recordFederation, membership, fullListing } =
    drawn;
  const { clusters } = membership;
  const names = { names: drawn.names.names, nameConflicts: drawn.names.nameConflicts };
  await mapConcurrently(shards, concurrentWrites, async (windows, index) => {
    const shard: PlanShard = { format: 1, run, base, clusters, ...names, ...judged, windows };
    await replaceDocument(bucket, documents.planShard.at(run, attempt, index), shard, { signal });
  });
  const head: PlanHead = {
    format: 1,
    run,
    attempt,
    base,
    newest,
    number,
    federation,
    recordFederation,
    replaces,
    hold,
    membership,
    shards: shards.map((shard) => shard.map((window) => window.window)),
    removed: [...drawn.removed],
    quarantined: [...drawn.quarantined],
    accepted: [...drawn.accepted],
    shrunk: [...drawn.shrunk],
    notices: drawn.notices,
    writers: drawn.writers,
    ...names,
    fullListing,
  };
  await replaceDocument(bucket, documents.planHead.at(run, attempt), head, { signal });
}
