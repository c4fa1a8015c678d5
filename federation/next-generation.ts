import { ownValue } from '../etl/own-value';
import { byBytes, inByteOrder } from './byte-order';
import type { Generation } from './generation';
import { type Membership, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import { decideNames } from './names';
import type { PlanHead, WindowResult } from './plan-document';
import { namesInResults, namesOfQuarantined } from './plan-names';
import { sameRemoved } from './removal';

export interface NextGenerationInput {
  /** The generation that the plan started from; undefined if there was none. */
  readonly base?: Generation;
  readonly plan: Pick<
    PlanHead,
    | 'federation'
    | 'number'
    | 'replaces'
    | 'hold'
    | 'membership'
    | 'removed'
    | 'quarantined'
    | 'accepted'
    | 'shrunk'
    | 'notices'
    | 'writers'
    | 'names'
    | 'nameConflicts'
  >;
  /** Results of merging the planned windows, one for each window. */
  readonly results: readonly WindowResult[];
  readonly run: string;
  /** Version of the program that commits. */
  readonly program: string;
  readonly now: Date;
}

/**
 * Builds the generation that follows the base generation: copies the windows of the base generation, removes those that
 * the plan removes, and updates those that were merged.
 */
export function nextGeneration({ base, plan, results, run, program, now }: NextGenerationInput): Generation {
  const windows = new Map(Object.entries(base?.windows ?? {}));
  for (const id of plan.removed) windows.delete(id);
  for (const result of results) {
    if (result.merged === undefined) windows.delete(result.window);
    else windows.set(result.window, result.merged);
  }
  return {
    format: 1,
    federation: plan.federation,
    generation: plan.number,
    run,
    committedAt: now.toISOString(),
    ...(base && { parent: { generation: base.generation, run: base.run } }),
    ...(plan.replaces && { replaces: plan.replaces }),
    ...(plan.hold && { hold: plan.hold }),
    mergeRevision,
    program,
    membership: plan.membership,
    windows: inByteOrder(Object.fromEntries(windows)),
    quarantined: [...plan.quarantined, ...results.flatMap((result) => result.quarantined)].sort(byWindow),
    accepted: [...plan.accepted, ...results.flatMap((result) => result.accepted)].sort(byWindow),
    shrunk: [...plan.shrunk, ...results.flatMap((result) => result.shrunk)].sort(byWindow),
    notices: [...plan.notices],
    writers: inByteOrder(plan.writers),
    ...decidedNames(plan, results),
  };
}

/** Decides which clusters own the cluster names that the run has found, and which carry other clusters' names. */
function decidedNames(
  plan: NextGenerationInput['plan'],
  results: readonly WindowResult[],
): Pick<Generation, 'names' | 'nameConflicts'> {
  const included = new Set(plan.membership.clusters);
  const carriedOver = namesOfQuarantined(plan.quarantined).filter(({ cluster }) => included.has(cluster));
  const { owners, taken } = decideNames(plan.names, [...carriedOver, ...namesInResults(results)]);
  const nameConflicts: Generation['nameConflicts'] = {};
  for (const [cluster, names] of taken) {
    const { reinstalled = false } = ownValue(plan.nameConflicts, cluster) ?? {};
    nameConflicts[cluster] = { names, reinstalled };
  }
  return { names: inByteOrder(owners), nameConflicts };
}

/**
 * Returns whether a generation equals its base, apart from number, run, parent, time, program, federator and writers.
 * If so, there is nothing to commit. Returns false if the generation replaces one that is newer than its base, because
 * such a generation is always committed.
 */
export function sameGeneration(base: Generation, next: Generation): boolean {
  return (
    next.replaces === undefined &&
    text(base.hold) === text(next.hold) &&
    base.federation === next.federation &&
    base.mergeRevision === next.mergeRevision &&
    sameMembers(base.membership, next.membership) &&
    text(base.names) === text(next.names) &&
    text(base.nameConflicts) === text(next.nameConflicts) &&
    text(inByteOrder(base.windows)) === text(inByteOrder(next.windows)) &&
    text([...base.quarantined].sort(byWindow)) === text([...next.quarantined].sort(byWindow)) &&
    text([...base.accepted].sort(byWindow)) === text([...next.accepted].sort(byWindow)) &&
    text([...base.shrunk].sort(byWindow)) === text([...next.shrunk].sort(byWindow)) &&
    text(base.notices) === text(next.notices)
  );
}

/**
 * Returns whether two memberships have the same rules and the same clusters. The federator is not compared: federators
 * with equal rules are interchangeable.
 */
function sameMembers(a: Membership, b: Membership): boolean {
  const parts = ({ clusters, excluded }: Membership) => {
    const out = Object.entries(inByteOrder(excluded)).map(([id, { by, lastGeneration }]) => [
      id,
      by,
      lastGeneration,
    ]);
    return text([clusters, out]);
  };
  return sameMembership(a, b) && parts(a) === parts(b) && sameRemoved(a.removed, b.removed);
}

interface SourceId {
  readonly window: string;
  readonly cluster: string;
}

function byWindow(a: SourceId, b: SourceId): number {
  return byBytes(a.window, b.window) || byBytes(a.cluster, b.cluster);
}

/** Serializes a value as JSON with sorted keys, so that equal values give equal text. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? inByteOrder(inner as Record<string, unknown>)
      : inner,
  );
}
