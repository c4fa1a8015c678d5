import type { ByteString } from './byte-string';
import { bool, embedded, f64, map, optional, since, str } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { first, sum } from './merge-parts';
import type { LbAllocation } from './model';
import { allocationVersions } from './versions';

const fields = {
  service: field(str, first),
  cost: field(f64, sum),
  private: field(bool, first),
  ip: field(since(19, str, ''), first),
  hours: field(since(21, f64, 0), sum),
} satisfies Description<LbAllocation, void>;

/** Codec of an allocation's load balancers, stored as a map with string keys. */
export const loadBalancers = map(optional(embedded(described<LbAllocation>(allocationVersions, fields))));

const addBalancer = adding<LbAllocation, void, typeof fields>(fields, nothingOwn);

type Balancers = Map<ByteString, LbAllocation | null>;

/**
 * Adds the load balancers of two allocations, key by key. Drops keys without a value. If `b` is null, returns `a`
 * unchanged.
 */
export function addBalancers(a: Balancers | null, b: Balancers | null): Balancers | null {
  if (b === null) return a;
  const all: Balancers = new Map();
  for (const [key, value] of a ?? []) {
    if (value !== null) all.set(key, value);
  }
  for (const [key, value] of b) {
    if (value === null) continue;
    const own = all.get(key);
    all.set(key, own ? addBalancer(own, value) : takenOver(value));
  }
  return all;
}

/**
 * Returns a copy of a load balancer that only the second allocation has. As in OpenCost, `private` is false and `ip` is
 * empty in the copy.
 */
function takenOver({ version, service, cost, hours }: LbAllocation): LbAllocation {
  return { version, service, cost, private: false, ip: '', hours };
}
