import type { LoadBalancerUse, PersistentVolumeUse } from '../../../query/answer';
import { mergeVolumes, union } from './merging';

const most = 1_000;

/** Selects the volumes that a row lists: only the most expensive ones. Adds up the others in one entry per cluster. */
export function listedVolumes(
  pvs: ReadonlyMap<string, PersistentVolumeUse>,
): Record<string, PersistentVolumeUse> | null {
  const [costly, others] = split(pvs);
  let listed: ReadonlyMap<string, PersistentVolumeUse> = new Map(costly);
  for (const [key, volume] of others) {
    const [cluster] = key.split(':');
    const other = new Map([[`${cluster}:name=__other__`, { ...volume, providerID: '' }]]);
    listed = union(listed, other, mergeVolumes);
  }
  return objectOf(listed);
}

/**
 * Selects the load balancers that a row lists: only the most expensive ones. Adds up the others in one further entry.
 * If the row's load balancer cost differs from the total of its load balancers, that entry also contains the
 * difference. This happens with records from older agents, which do not list load balancers.
 */
export function listedBalancers(
  balancers: ReadonlyMap<string, LoadBalancerUse>,
  loadBalancerCost: number,
): Record<string, LoadBalancerUse> | null {
  const [costly, others] = split(balancers);
  const listed = new Map(costly);
  const known = [...balancers.values()].reduce((sum, { cost }) => sum + cost, 0);
  const unlisted = Math.abs(loadBalancerCost - known) > 1e-9 ? loadBalancerCost - known : 0;
  if (others.length > 0 || unlisted !== 0) {
    const before = listed.get('__other__') ?? { cost: 0, hours: 0 };
    const cost = others.reduce((sum, [, other]) => sum + other.cost, before.cost + unlisted);
    const hours = others.reduce((sum, [, other]) => sum + other.hours, before.hours);
    listed.set('__other__', { service: '', cost, private: false, ip: '', hours });
  }
  return objectOf(listed);
}

/** Splits entries into two lists: the most expensive ones (at most `most` of them) and the others. */
function split<V extends { readonly cost: number }>(
  all: ReadonlyMap<string, V>,
): [[string, V][], [string, V][]] {
  const byCost = [...all].sort(([key, a], [other, b]) => b.cost - a.cost || (key < other ? -1 : 1));
  return [byCost.slice(0, most), byCost.slice(most)];
}

function objectOf<V>(listed: ReadonlyMap<string, V>): Record<string, V> | null {
  return listed.size === 0 ? null : Object.fromEntries(listed);
}
