import { isDeepStrictEqual } from 'node:util';
import { decodeSet } from '../../etl/file';
import { recordsOf, type Allocation, type Asset } from '../../etl/model';
import { windowId, type WindowId } from '../../etl/window';
import type { BucketReader } from '../../storage/bucket';
import { clusterId } from '../../etl/cluster-id';
import { clusterEtlPrefix, combinedEtlPrefix, parseEtlKey } from '../../federation/layout';
import { readAll } from '../../storage/read-all';

/** What a comparison of the combined set with its sources gave. */
export interface UnionCheck {
  readonly windows: number;
  readonly records: number;
  /** One sentence a difference; none: the combined set is the union. */
  readonly differences: readonly string[];
}

/**
 * Reads every window of the given clusters and of the combined set, by the decoder alone, and compares the records: each
 * record of each cluster has to be in the combined window as it is, and nothing else.
 */
export async function checkUnion(bucket: BucketReader, clusters: readonly string[]): Promise<UnionCheck> {
  const expected = new Map<WindowId, Map<string, Asset | Allocation | null>>();
  for (const cluster of clusters) {
    for (const [window, records] of await recordsBelow(bucket, clusterEtlPrefix(clusterId(cluster)))) {
      const union = expected.get(window) ?? new Map<string, Asset | Allocation | null>();
      for (const [name, record] of records) union.set(name, record);
      expected.set(window, union);
    }
  }
  const combined = await recordsBelow(bucket, combinedEtlPrefix);
  const differences: string[] = [];
  for (const [window, records] of expected) {
    const found = combined.get(window);
    if (found === undefined) differences.push(`${window} is not combined`);
    else differences.push(...compare(window, records, found));
  }
  for (const window of combined.keys())
    if (!expected.has(window)) differences.push(`${window} is combined, but no cluster has it`);
  return {
    windows: expected.size,
    records: [...expected.values()].reduce((sum, records) => sum + records.size, 0),
    differences,
  };
}

async function recordsBelow(
  bucket: BucketReader,
  prefix: string,
): Promise<Map<WindowId, Map<string, Asset | Allocation | null>>> {
  const windows = new Map<WindowId, Map<string, Asset | Allocation | null>>();
  for await (const entry of bucket.list(prefix)) {
    const file = entry.kind === 'object' ? parseEtlKey(prefix, entry.key) : undefined;
    if (entry.kind !== 'object' || file === undefined) continue;
    const { bytes } = await readAll(bucket, entry.key);
    windows.set(windowId(file.ref), new Map(recordsOf(decodeSet(file.ref.pipeline, bytes)) ?? []));
  }
  return windows;
}

function compare(
  window: string,
  expected: Map<string, Asset | Allocation | null>,
  found: Map<string, Asset | Allocation | null>,
): string[] {
  const differences = [...expected].flatMap(([name, record]) => {
    if (!found.has(name)) return [`${window} lacks ${name}`];
    return isDeepStrictEqual(record, found.get(name)) ? [] : [`${window} has another ${name}`];
  });
  return [
    ...differences,
    ...[...found.keys()]
      .filter((name) => !expected.has(name))
      .map((name) => `${window} has ${name}, which is no cluster's`),
  ];
}
