import { type Codec, embedded, f64, hours, list, optional, since, str } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { first, kept, sum } from './merge-parts';
import type { PVAllocation, PVEntry, PVKey } from './model';
import { allocationVersions } from './versions';

const keyFields = {
  cluster: field(str, first),
  name: field(str, first),
} satisfies Description<PVKey, void>;

const volumeFields = {
  byteHours: field(hours('diskByteHours'), sum),
  cost: field(f64, sum),
  providerID: field(since(20, str, ''), kept),
} satisfies Description<PVAllocation, void>;

const pvKey = embedded(described<PVKey>(allocationVersions, keyFields));
const pvAllocation = described<PVAllocation>(allocationVersions, volumeFields);
const addKeys = adding<PVKey, void, typeof keyFields>(keyFields, nothingOwn);
const addVolume = adding<PVAllocation, void, typeof volumeFields>(volumeFields, nothingOwn);

/** Returns a string that is different for each combination of cluster and name. */
function pvIdentity(key: PVKey): string {
  return `${key.cluster.length}:${key.cluster}${key.name}`;
}

const pvEntry: Codec<PVEntry> = (() => {
  const value = optional(embedded(pvAllocation));
  return {
    shape: { kind: 'pair', names: ['key', 'value'], of: [pvKey, value] },
    least: pvKey.least + value.least,
    read: (reader) => ({ key: pvKey.read(reader), value: value.read(reader) }),
    write: (writer, entry) => {
      pvKey.write(writer, entry.key);
      value.write(writer, entry.value);
    },
  };
})();

/**
 * Codec of the volumes of an allocation. In a file, they are a map whose keys are structures. They are decoded to a
 * list of key-value pairs, because a JavaScript `Map` compares such keys by reference. If a key is repeated, the last
 * value wins.
 */
export const volumes: Codec<PVEntry[] | null> = (() => {
  const entries = list(pvEntry);
  return {
    ...entries,
    read: (reader) => {
      const read = entries.read(reader);
      if (read === null || read.length < 2) return read;
      return [...new Map(read.map((entry) => [pvIdentity(entry.key), entry])).values()];
    },
  };
})();

/**
 * Adds the volumes of two allocations, key by key. Drops entries without a value. If `b` is null, returns `a`
 * unchanged.
 */
export function addVolumes(a: PVEntry[] | null, b: PVEntry[] | null): PVEntry[] | null {
  if (b === null) return a;
  const all = new Map<string, PVEntry>();
  for (const entry of a ?? []) {
    if (entry.value !== null) all.set(pvIdentity(entry.key), entry);
  }
  for (const { key, value } of b) {
    if (value === null) continue;
    const id = pvIdentity(key);
    const own = all.get(id);
    all.set(
      id,
      own === undefined || own.value === null
        ? { key, value: takenOver(value) }
        : { key: addKeys(own.key, key), value: addVolume(own.value, value) },
    );
  }
  return [...all.values()];
}

/**
 * When two allocations are added, copies the value of a volume that only the second one has. As in OpenCost, the copy
 * has an empty `providerID`.
 */
function takenOver({ version, byteHours, cost }: PVAllocation): PVAllocation {
  return { version, byteHours, cost, providerID: '' };
}
