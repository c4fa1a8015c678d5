import { FederationError } from '../errors/federation-error';
import { conflictWith } from '../federation/conflict';
import { countFound } from '../federation/found';
import type { Generation, Hold } from '../federation/generation';
import type { Listing } from '../federation/listing';
import {
  type FollowedGeneration,
  type Membership,
  resolveMembership,
  returningClusters,
  type RosterRules,
  type Scope,
} from '../federation/membership';
import { nextGeneration, sameGeneration } from '../federation/next-generation';
import { type Plan, planFederation } from '../federation/plan';
import type { PlanHead } from '../federation/plan-document';
import { type NamesOfSource, planNames, type PlannedNames, standingNames } from '../federation/plan-names';
import { removedAfter } from '../federation/removal';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { drawRollback } from './draw-rollback';
import type { DrawnPlan, PlanOutcome } from './drawn-plan';
import { readFullListing } from './full-listing';
import { identifyFederation } from './identify-federation';
import { findIgnored } from './ignored-clusters';
import { listCandidates, type ListCandidatesOptions, type Listed } from './list-candidates';
import { findPlanBase, type PlanBase, readHeldBack } from './plan-base';
import { readDecision } from './read-decision';
import { readGeneration } from './read-generations';
import { discoverClusters } from './survey-clusters';
import { watchFolders } from './watch-folders';

export interface DrawPlanInput extends RosterRules, ListCandidatesOptions {
  readonly federator: string;
  readonly scope: Scope;
  readonly request: FederationRequest;
  /** Cluster names that an earlier attempt of the run found in files of clusters that do not own them. */
  readonly found?: readonly NamesOfSource[];
  readonly now: Date;
}

/**
 * Reads the bucket and plans a federation. Writes nothing, so a dry run calls only this function.
 *
 * @throws FEDERATOR_CONFLICT if another federator committed the last generation, and its settings differ, or its
 *   exclusions differ and come from another roster; never if the request sets `takeOver`
 * @throws FEDERATION_MISSING or FEDERATION_OTHER if the bucket does not contain the federation that the roster knows,
 *   and the request does not set `newFederation`
 * @throws GENERATION_UNREADABLE if the plan starts from a generation that is damaged or missing, or if a person's
 *   decision refers to such a generation
 * @throws ROLLBACK_IMPOSSIBLE if objects of the generation to roll back to are missing
 */
export async function drawPlan(bucket: BucketReader, input: DrawPlanInput): Promise<DrawnPlan> {
  const { scope, request, signal } = input;
  const start = await findPlanBase(bucket, request, { signal });
  const { base, current, newest, replaces } = start;
  // Identify the federation before looking at the hold: the bucket of another federation may be on hold, too.
  const identified = await identifyFederation(bucket, { ...input, base: current, newest }, { signal });
  if (start.heldBy !== undefined && current !== undefined) return onHold(start.heldBy, current, newest);
  const [discovered, last] = await Promise.all([
    discoverClusters(bucket, { signal }),
    readFullListing(bucket, { signal }),
  ]);
  const isRollback = request.change?.kind === 'rollback';
  const heldBack = base && !isRollback ? (await readHeldBack(bucket, base, { signal })).at(-1) : undefined;
  // `discovered` contains only clusters that have a folder. Add the clusters that a rollback, or the end of a hold,
  // brings back.
  const { clusters: back = [] } = (isRollback ? base : heldBack)?.membership ?? {};
  const removed = removedAfter(current, request);
  const rules = { ...input, removed, base: current };
  const resolved = resolveMembership({ ...rules, discovered: [...discovered, ...back] });
  if (current !== undefined && request.takeOver !== true) refuseConflict(current, resolved, input.follows);
  if (isRollback && base !== undefined && current !== undefined) {
    const onProgress = (done: number, of: number) => input.onProgress?.(done, of);
    const rollback = { start: { ...start, base, current }, today: resolved, request, onProgress };
    return { ...(await drawRollback(bucket, rollback, { signal })), ...identified };
  }
  const decision = await readDecision(bucket, base, request, { signal });
  const decided = decision?.windows ?? new Set<string>();
  const now = input.now.getTime() / 1_000;
  const listingInput = { base, membership: resolved, request, decided, last, now };
  let listed = await listCandidates(bucket, listingInput, input);
  let names = namesOf(listed, input, decision?.base ?? base, resolved);
  if (listed.listing.kind === 'recent' && names.freed.size + names.recheck.size > 0) {
    listed = await listCandidates(bucket, listingInput, input, 'a cluster name has another owner');
    names = namesOf(listed, input, decision?.base ?? base, resolved);
  }
  const { candidates, listing, fullListing } = listed;
  const withFiles = candidates.clusters();
  const known = new Set([
    ...(base?.membership.clusters ?? []),
    ...returningClusters(resolved, base?.membership).keys(),
    ...back,
  ]);
  const clusters = resolved.clusters.filter((cluster) => withFiles.has(cluster) || known.has(cluster));
  const withoutWindows = resolved.clusters.filter(
    (cluster) => !withFiles.has(cluster) && !known.has(cluster),
  );
  const membership: Membership = { ...resolved, clusters, scope };
  const [lastGenerations, ignored] = await Promise.all([
    readLastGenerations(bucket, membership, base, signal),
    findIgnored(bucket, membership.removed, { discovered, now, signal }),
  ]);
  const plan = planFederation({
    base: decision?.base ?? base,
    membership,
    candidates,
    since: sinceOf(listing),
    decided,
    lastGenerations,
    heldBack,
    request,
    names,
    now,
  });
  const folders = await watchFolders(bucket, {
    base,
    clusters,
    candidates,
    notices: listed.notices,
    isRecent: listing.kind === 'recent',
    now: input.now,
    signal,
  });
  const outcome = outcomeOf(
    { ...plan, ...folders },
    { ...identified, membership, names },
    withFiles.size > 0,
    start,
  );
  const nothing = outcome === 'no-input' || outcome === 'all-excluded';
  const todo = nothing ? { windows: [], carried: Object.keys(base?.windows ?? {}), removed: [] } : plan;
  return {
    ...plan,
    ...folders,
    ...todo,
    ...identified,
    newest,
    ...(replaces && { replaces }),
    outcome,
    membership,
    names,
    baseGeneration: base,
    decision,
    found: countFound(todo, candidates),
    listing,
    fullListing,
    withoutWindows,
    ignored,
  };
}

/** Returns the result of planning if a hold keeps the run from committing: everything stays as it is. */
function onHold(heldBy: Hold, current: Generation, newest: number): DrawnPlan {
  const { generation, federation, membership, windows } = current;
  return {
    outcome: 'on-hold',
    heldBy,
    federation,
    base: generation,
    newest,
    number: newest + 1,
    membership,
    names: standingNames(current),
    baseGeneration: current,
    windows: [],
    carried: Object.keys(windows),
    removed: [],
    quarantined: current.quarantined,
    accepted: current.accepted,
    shrunk: current.shrunk,
    notices: current.notices,
    writers: current.writers,
    duplicates: [],
    found: [],
    listing: { kind: 'none', why: 'the federation is on hold' },
    withoutWindows: [],
    ignored: [],
  };
}

function namesOf(
  { candidates, listing }: Listed,
  { request: { change }, found = [], now }: DrawPlanInput,
  base: Generation | undefined,
  membership: Membership,
): PlannedNames {
  const since = sinceOf(listing);
  return planNames({ base, membership, candidates, since, change, found, now: now.getTime() / 1_000 });
}

function sinceOf(listing: Listing): number | undefined {
  return listing.kind === 'recent' ? listing.since : undefined;
}

function outcomeOf(
  plan: Plan & Pick<PlanHead, 'notices' | 'writers'>,
  { federation, membership, names }: Pick<DrawnPlan, 'federation' | 'membership' | 'names'>,
  anyFile: boolean,
  { base, replaces }: Pick<PlanBase, 'base' | 'replaces'>,
): PlanOutcome {
  const out = [...Object.keys(membership.excluded), ...Object.keys(membership.removed)];
  if (membership.clusters.length === 0 && out.length > 0) return 'all-excluded';
  // If all files are older than the configured cut-off date, there is nothing to merge for a first generation.
  if (!anyFile || (base === undefined && plan.windows.length === 0)) return 'no-input';
  const next = nextGeneration({
    base,
    plan: {
      ...plan,
      federation,
      number: 1,
      replaces,
      membership,
      removed: [...plan.removed],
      quarantined: [...plan.quarantined],
      accepted: [...plan.accepted],
      names: names.names,
      nameConflicts: names.nameConflicts,
      shrunk: [...plan.shrunk],
    },
    results: [],
    run: '',
    program: '',
    now: new Date(0),
  });
  const same = plan.windows.length === 0 && base !== undefined && sameGeneration(base, next);
  return same ? 'nothing-changed' : 'work';
}

function refuseConflict(base: Generation, own: Membership, follows: FollowedGeneration | undefined): void {
  const conflict = conflictWith(base, own, follows);
  if (conflict === undefined) return;
  const theirs = base.membership.federator;
  const difference =
    conflict === 'settings'
      ? `Its settings are not those of the federator of ${own.federator}.`
      : `It has its exclusions from another roster than the federator of ${own.federator}, and they differ.`;
  throw new FederationError('FEDERATOR_CONFLICT', {
    subject: { cluster: theirs },
    detail: `Generation ${base.generation} was committed by the federator of ${theirs}. ${difference}`,
  });
}

async function readLastGenerations(
  bucket: BucketReader,
  membership: Membership,
  base: Generation | undefined,
  signal?: AbortSignal,
): Promise<Map<number, Generation>> {
  const found = new Map<number, Generation>();
  for (const number of new Set(returningClusters(membership, base?.membership).values())) {
    const generation = await readGeneration(bucket, number, { signal });
    if (generation !== undefined) found.set(number, generation);
  }
  return found;
}
