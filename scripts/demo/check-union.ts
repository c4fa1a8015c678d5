import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet } from '../../etl/file';
import { type EtlRecord, recordsOf } from '../../etl/model';
import { type WindowId, windowId } from '../../etl/window';
import { clusterEtlPrefix, combinedEtlPrefix, parseEtlKey } from '../../federation/layout';
import type { BucketReader } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { Releasers } from '../../workers/releasers';

/** Result of comparing the combined data with the data of the clusters. */
export interface UnionCheck {
  readonly windows: number;
  readonly records: number;
  /** One sentence per difference. Empty if the combined data is the union of the clusters' data. */
  readonly differences: readonly string[];
}

/**
 * Compares the combined data with the data of the given clusters, after decoding every file of both. Each combined
 * window must contain all records of that window from all clusters, unchanged, and no other records.
 */
export async function checkUnion(bucket: BucketReader, clusters: readonly string[]): Promise<UnionCheck> {
  const expected = new Map<WindowId, Map<string, EtlRecord | null>>();
  for (const cluster of clusters) {
    for (const [window, records] of await recordsBelow(bucket, clusterEtlPrefix(clusterId(cluster)))) {
      const union = expected.get(window) ?? new Map<string, EtlRecord | null>();
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

/**
 * Checks that the combined data of the demo in the folder `dir` is the union of the given clusters' data. `union` is
 * the description of this union in the error message, such as "the union of the five".
 *
 * @throws FEDERATION_FAILED with the first differences
 */
export async function requireUnion(
  dir: string,
  clusters: readonly { readonly id: string }[],
  union: string,
): Promise<UnionCheck> {
  await using releasers = new Releasers();
  const bucket = await openBucketFromFile(join(dir, 'federated-store.yaml'));
  releasers.defer(() => bucket.close());
  const checked = await checkUnion(
    bucket,
    clusters.map(({ id }) => id),
  );
  const { differences } = checked;
  if (differences.length === 0) return checked;
  const more = differences.length > 5 ? '; …' : '';
  throw new FederationError('FEDERATION_FAILED', {
    detail: `The combined set is not ${union}: ${differences.slice(0, 5).join('; ')}${more}`,
    hint: `Look at the logs under ${join(dir, 'logs')}, and run \`federated-etl verify\`.`,
  });
}

async function recordsBelow(
  bucket: BucketReader,
  prefix: string,
): Promise<Map<WindowId, Map<string, EtlRecord | null>>> {
  const windows = new Map<WindowId, Map<string, EtlRecord | null>>();
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
  expected: Map<string, EtlRecord | null>,
  found: Map<string, EtlRecord | null>,
): string[] {
  const differences = [...expected].flatMap(([name, record]) => {
    if (!found.has(name)) return [`${window} lacks ${name}`];
    return isDeepStrictEqual(record, found.get(name)) ? [] : [`${window} has a different ${name}`];
  });
  return [
    ...differences,
    ...[...found.keys()]
      .filter((name) => !expected.has(name))
      .map((name) => `${window} has ${name}, which no cluster has`),
  ];
}
