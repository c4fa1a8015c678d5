import { FederationError } from '../errors/federation-error';
import type { ListedFile } from '../federation/candidates';
import type { Generation } from '../federation/generation';
import {
  type Exclusion,
  type Membership,
  resolveMembership,
  returningClusters,
  sameMembership,
  type Scope,
} from '../federation/membership';
import { nextGeneration, sameGeneration } from '../federation/next-generation';
import { type Plan, planFederation } from '../federation/plan';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import type { PlanOutcome } from './plan-federation';
import { readGeneration, readNewestGeneration } from './read-generations';
import { discoverClusters, listWindowFiles } from './survey-clusters';

export interface DrawPlanInput {
  readonly federator: string;
  readonly scope: Scope;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full' | 'takeOver'>;
  readonly now: Date;
  readonly signal?: AbortSignal;
  /** Told after each listing. */
  onProgress?(clustersListed: number, of: number): void;
}

/** A plan, and what it was made from. */
export interface DrawnPlan extends Plan {
  readonly outcome: PlanOutcome;
  readonly membership: Membership;
  readonly baseGeneration?: Generation;
  readonly files: readonly ListedFile[];
  /** Clusters that have a folder but no window file, and never had one that was federated: they are not members. */
  readonly withoutWindows: readonly string[];
}

/**
 * Looks at the bucket and plans a federation, without writing anything: a dry run is this alone.
 *
 * @throws FEDERATOR_CONFLICT when another federator with another membership committed last, unless taking over
 */
export async function drawPlan(bucket: BucketReader, input: DrawPlanInput): Promise<DrawnPlan> {
  const { scope, request, signal } = input;
  const [base, discovered] = await Promise.all([
    readNewestGeneration(bucket, { signal }),
    discoverClusters(bucket, { signal }),
  ]);
  const resolved = resolveMembership({ ...input, discovered, base });
  if (base !== undefined && request.takeOver !== true) refuseConflict(base, resolved);
  let listed = 0;
  const files = await listWindowFiles(bucket, resolved.clusters, {
    signal,
    onListed: () => input.onProgress?.(++listed, resolved.clusters.length),
  });
  const withFiles = new Set(files.map((file) => file.cluster));
  const known = new Set([
    ...(base?.membership.clusters ?? []),
    ...returningClusters(resolved, base?.membership).keys(),
  ]);
  const clusters = resolved.clusters.filter((cluster) => withFiles.has(cluster) || known.has(cluster));
  const withoutWindows = resolved.clusters.filter(
    (cluster) => !withFiles.has(cluster) && !known.has(cluster),
  );
  const membership: Membership = { ...resolved, clusters, scope };
  const lastGenerations = await readLastGenerations(bucket, membership, base, signal);
  const plan = planFederation({
    base,
    membership,
    files,
    lastGenerations,
    request,
    now: input.now.getTime() / 1_000,
  });
  const outcome = outcomeOf(plan, membership, files.length, base);
  const nothing = outcome === 'no-input' || outcome === 'all-excluded';
  return {
    ...plan,
    ...(nothing && { windows: [], carried: Object.keys(base?.windows ?? {}), removed: [] }),
    outcome,
    membership,
    baseGeneration: base,
    files,
    withoutWindows,
  };
}

function outcomeOf(
  plan: Plan,
  membership: Membership,
  files: number,
  base: Generation | undefined,
): PlanOutcome {
  if (membership.clusters.length === 0 && Object.keys(membership.leftOut).length > 0) {
    return 'all-excluded';
  }
  // Everything before the cut-off is no input either, as long as there is nothing to carry.
  if (files === 0 || (base === undefined && plan.windows.length === 0)) return 'no-input';
  const next = nextGeneration({
    base,
    plan: { membership, removed: [...plan.removed], problems: [...plan.problems] },
    results: [],
    run: '',
    now: new Date(0),
  });
  const same = plan.windows.length === 0 && base !== undefined && sameGeneration(base, next);
  return same ? 'nothing-changed' : 'work';
}

function refuseConflict(base: Generation, own: Membership): void {
  const theirs = base.membership;
  if (theirs.federator === own.federator || sameMembership(theirs, own)) return;
  throw new FederationError('FEDERATOR_CONFLICT', {
    subject: { cluster: theirs.federator },
    detail:
      `Generation ${base.generation} was committed by the federator of ${theirs.federator}, whose settings or ` +
      `exclusions are not those of the federator of ${own.federator}.`,
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
