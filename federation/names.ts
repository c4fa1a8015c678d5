import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { byBytes } from './byte-order';
import type { Change } from './change';

/**
 * The records in an ETL file say to which cluster they belong, by its name. A name belongs to one folder of the bucket:
 * to the cluster that was first to contribute records with it. If another folder had records with the same name, their
 * costs would be added to those of the owner.
 */

/** The owner of each cluster name, keyed by name. */
export type NameOwners = Readonly<Record<string, ClusterId>>;

/** Cluster names that a cluster's files carry. */
export interface CarriedNames {
  readonly cluster: ClusterId;
  readonly names: readonly string[];
}

export interface DecidedNames {
  /** The owners, with those of the names that had none so far. The keys are in no particular order. */
  readonly owners: NameOwners;
  /**
   * The clusters that carry names of other clusters, in byte order of their ids. Each is mapped to these names and their
   * owners.
   */
  readonly taken: ReadonlyMap<ClusterId, NameOwners>;
}

/** Returns the owners after a decision of a person. Removed clusters own no names. */
export function ownersAfter(
  owners: NameOwners,
  change: Change | undefined,
  removed: Readonly<Record<ClusterId, unknown>>,
): NameOwners {
  const left = Object.entries(owners).filter(([, owner]) => !Object.hasOwn(removed, owner));
  if (change?.kind === 'give-name') left.push([change.name, change.cluster]);
  return Object.fromEntries(left);
}

/** Returns the names that a cluster does not own. Some of them may have no owner. */
export function namesNotOwned(cluster: ClusterId, names: readonly string[], owners: NameOwners): string[] {
  return names.filter((name) => !isReserved(name) && ownValue(owners, name) !== cluster);
}

/**
 * Decides who owns the names that the clusters carry, and which clusters carry names of others. The order of `carried`
 * does not matter, so every federator decides alike.
 *
 * A name without an owner goes to one of the clusters that carry it: to the one whose id equals the name, otherwise to
 * the first by the bytes of its id. A cluster that carries a name of another cluster gets no names, because it
 * contributes nothing.
 */
export function decideNames(owners: NameOwners, carried: Iterable<CarriedNames>): DecidedNames {
  const wanted = collect(owners, carried);
  const settled = new Map(Object.entries(owners));
  const isFree = (cluster: ClusterId, name: string) => (settled.get(name) ?? cluster) === cluster;
  let open = [...wanted.keys()].sort(byBytes);
  for (;;) {
    open = open.filter((cluster) => [...(wanted.get(cluster) ?? [])].every((name) => isFree(cluster, name)));
    // Clusters can wait for each other, if each carries the id of the next as a name. Then the first of them wins.
    const next = open.find((cluster) => !waits(cluster, wanted, open)) ?? open[0];
    if (next === undefined) break;
    for (const name of wanted.get(next) ?? []) settled.set(name, next);
    open = open.filter((cluster) => cluster !== next);
  }
  const taken = new Map<ClusterId, NameOwners>();
  for (const [cluster, names] of [...wanted].sort(([a], [b]) => byBytes(a, b))) {
    const others = [...names].sort(byBytes).flatMap((name): [string, ClusterId][] => {
      const owner = settled.get(name);
      return owner === undefined || owner === cluster ? [] : [[name, owner]];
    });
    if (others.length > 0) taken.set(cluster, Object.fromEntries(others));
  }
  return { owners: Object.fromEntries(settled), taken };
}

function collect(owners: NameOwners, carried: Iterable<CarriedNames>): Map<ClusterId, Set<string>> {
  const wanted = new Map<ClusterId, Set<string>>();
  for (const { cluster, names } of carried) {
    const more = namesNotOwned(cluster, names, owners);
    if (more.length === 0) continue;
    const ofCluster = wanted.get(cluster) ?? new Set();
    wanted.set(cluster, ofCluster);
    for (const name of more) ofCluster.add(name);
  }
  return wanted;
}

/** Returns whether a cluster carries a name that equals the id of another cluster that carries it and is still open. */
function waits(
  cluster: ClusterId,
  wanted: ReadonlyMap<ClusterId, ReadonlySet<string>>,
  open: readonly ClusterId[],
): boolean {
  return open.some(
    (other) =>
      other !== cluster && wanted.get(cluster)?.has(other) === true && wanted.get(other)?.has(other) === true,
  );
}

/** Returns whether a name is one of OpenCost's placeholders, such as `__unmounted__`. Every cluster may carry them. */
function isReserved(name: string): boolean {
  return name.startsWith('__') && name.endsWith('__');
}
