import { objectKey, parseObjectKey } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { type StorageCall, withMetrics } from '../../storage/with-metrics';
import {
  firstDay,
  goldenSource,
  overriding,
  smallBucket,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();
const clusters = [1, 2, 3, 4, 5].map((number) => `cluster-${number}`);

/** Returns a federator that cannot keep sources in memory, so it may read them several times. */
function forgetful(bucket: Bucket): TestFederator {
  const federator = new TestFederator(bucket, threads);
  Object.assign(federator.deps, { mergeMemory: 1 });
  return federator;
}

/**
 * Counts how often each cluster's source for the first day was read. If `previous` is the key of an earlier run's
 * merged object, the reads of that object are counted under the name `previous`.
 */
function gets(calls: readonly StorageCall[], previous = ''): Record<string, number> {
  const names = new Map(clusters.map((cluster) => [sourceKey(cluster, firstDay), cluster]));
  names.set(previous, 'previous');
  const counts: Record<string, number> = {};
  for (const { verb, key } of calls) {
    const name = verb === 'get' ? names.get(key) : undefined;
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('sources that do not fit into memory are read again by ranges, and the merged windows are the same', async () => {
  const plenty = new TestFederator(smallBucket(), threads);
  await plenty.federate();
  const calls: StorageCall[] = [];
  const little = forgetful(withMetrics(smallBucket(), (call) => calls.push(call)));
  await little.federate();
  expect(Object.values((await little.newest()).windows).map(({ digest }) => digest)).toEqual(
    Object.values((await plenty.newest()).windows).map(({ digest }) => digest),
  );
  expect(gets(calls)).toEqual(Object.fromEntries(clusters.map((cluster) => [cluster, 2])));
  const first = calls.filter(({ verb, key }) => verb === 'get' && key === sourceKey('cluster-1', firstDay));
  expect(first[1]?.bytes).toBeLessThan(first[0]?.bytes ?? 0);
});

describe.each([
  ['in memory', (bucket: Bucket) => new TestFederator(bucket, threads), 1],
  ['read again', forgetful, 2],
] as const)('unchanged contributions, %s,', (_, open, times) => {
  test('are copied from the previous object: one request instead of one per cluster', async () => {
    const calls: StorageCall[] = [];
    const federator = open(withMetrics(smallBucket(), (call) => calls.push(call)));
    const { bucket } = federator;
    await federator.federate();
    const before = (await federator.newest()).windows[firstDay];
    const previous = objectKey(before?.fingerprint ?? '');
    await bucket.put(sourceKey('cluster-3', firstDay), goldenSource('cluster-3', firstDay));

    calls.length = 0;
    await federator.federate();
    const counts = gets(calls, previous);
    expect(Object.keys(counts).sort()).toEqual(['cluster-3', 'previous']);
    expect(counts['cluster-3']).toBe(times);
    const after = (await federator.newest()).windows[firstDay];
    expect(after?.fingerprint).not.toBe(before?.fingerprint);
    expect(after?.digest).toBe(before?.digest);

    // Merge all source files again, without using the previous merged object. The result must be the same.
    calls.length = 0;
    await federator.federate({ force: true });
    expect(Object.keys(gets(calls)).sort()).toEqual(clusters);
    expect((await federator.newest()).windows[firstDay]?.digest).toBe(before?.digest);
  });
});

test.each<[string, (bytes: Buffer) => Buffer | undefined]>([
  [
    'has a changed byte',
    (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
  ],
  ['has an invalid string table', (bytes) => Buffer.from(bytes).fill(0xff, 4, 40)],
  ['was truncated', (bytes) => bytes.subarray(0, bytes.length - 1)],
  ['is gone', () => undefined],
])('a previous object that %s is not used, and does no harm', async (_, damage) => {
  const federator = new TestFederator(smallBucket(), threads);
  const { bucket } = federator;
  await federator.federate();
  const before = (await federator.newest()).windows[firstDay];
  const previous = objectKey(before?.fingerprint ?? '');
  const damaged = damage((await readAll(bucket, previous)).bytes);
  await (damaged === undefined ? bucket.delete(previous) : bucket.put(previous, damaged));
  await bucket.put(sourceKey('cluster-3', firstDay), goldenSource('cluster-3', firstDay));
  const { outcomes } = await federator.prepare();
  expect(outcomes).toMatchObject([{ window: firstDay, digest: before?.digest, quarantined: 0, clusters: 5 }]);
});

test('a source replaced between its two readings is merged in its new version', async () => {
  const bucket = smallBucket();
  const source = sourceKey('cluster-3', firstDay);
  let replaced = false;
  const racing = overriding(bucket, {
    get: async (key, options) => {
      if (key === source && options?.range !== undefined && !replaced) {
        replaced = true;
        await bucket.put(source, goldenSource('cluster-2', firstDay));
      }
      return bucket.get(key, options);
    },
  });
  const federator = forgetful(racing);
  const { outcomes } = await federator.prepare();
  expect(replaced).toBe(true);

  const other = new TestFederator(smallBucket(), threads);
  await other.bucket.put(source, goldenSource('cluster-2', firstDay));
  const expected = await other.prepare();
  expect(outcomes.map(({ digest }) => digest)).toEqual(expected.outcomes.map(({ digest }) => digest));
});

test('a store that fails during the upload of the merged window fails the merge, with its error', async () => {
  const bucket = smallBucket();
  const failing = overriding(bucket, {
    put: (key, body, options) =>
      parseObjectKey(key) === undefined ? bucket.put(key, body, options) : Promise.reject(new Error('full')),
  });
  await expect(new TestFederator(failing, threads).prepare()).rejects.toThrow('full');
  // The failed upload must not block the merge threads: they can still merge windows.
  const { outcomes } = await new TestFederator(bucket, threads).prepare();
  expect(outcomes).toHaveLength(3);
});
