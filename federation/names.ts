import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { byBytes } from './byte-order';
import type { Change } from './change';

/**
 * Each record in an ETL file contains the name of a cluster. Each cluster name belongs to one folder of the bucket: the
 * folder of the cluster that first contributed records with this name. If records from another folder had the same
 * name, their costs would be added to the costs of the owner.
 */

/** The owner of each cluster name, keyed by name. */
export type NameOwners = Readonly<Record<string, ClusterId>>;

/** Cluster names that a cluster's files carry. */
export interface CarriedNames {
  readonly cluster: ClusterId;
  readonly names: readonly string[];
}

export interface DecidedNames {
  /** The owners, including those of names that had no owner before. The keys are in no particular order. */
  readonly owners: NameOwners;
  /**
   * The clusters that carry names of other clusters, in byte order of their ids. Each is mapped to these names and
   * their owners.
   */
  readonly taken: ReadonlyMap<ClusterId, NameOwners>;
}

/** Returns the owners after a person's decision. Removed clusters own no names. */
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
 * Decides which cluster owns each name, and which clusters carry other clusters' names. The order of `carried` does not
 * matter, so all federators make the same decision.
 *
 * A name without an owner goes to one of the clusters that carry it: to the one whose id equals the name, otherwise to
 * the one whose id comes first in byte order. A cluster that carries a name of another cluster gets no names, because
 * its new files are not merged.
 */
export function decideNames(owners: NameOwners, carried: Iterable<CarriedNames>): DecidedNames {
  const wanted = collect(owners, carried);
  const settled = new Map(Object.entries(owners));
  const isFree = (cluster: ClusterId, name: string) => (settled.get(name) ?? cluster) === cluster;
  let open = [...wanted.keys()].sort(byBytes);
  for (;;) {
    open = open.filter((cluster) => [...(wanted.get(cluster) ?? [])].every((name) => isFree(cluster, name)));
    // If each of several clusters carries the id of the next one as a name, they wait for each other in a circle. Then
    // the first cluster in byte order wins.
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

/**
 * Returns whether a cluster has to wait for another cluster in `open`, because both of them carry the id of that other
 * cluster as a name.
 */
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
