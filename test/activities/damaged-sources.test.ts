import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { wantedWindows } from '../../activities/ingest-combined';
import { objectKey } from '../../federation/layout';
import { openS3 } from '../../storage/drivers/s3';
import { s3Config } from '../../storage/drivers/s3-config';
import { readAll } from '../../storage/read-all';
import { sameMeaning } from '../etl/same-meaning';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { startFaultProxy } from '../storage/fault-proxy';
import {
  federatedBucket,
  firstDay,
  goldenSource,
  keptFile,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';
import { flipped, flippingBucket, harmlessFlip, pushed } from './flipping';

const threads = testMergeThreads();
const { signal } = new AbortController();
const other = sourceKey('cluster-1', firstDay);
const key = sourceKey('cluster-2', firstDay);
const good = goldenSource('cluster-2', firstDay);
const at = harmlessFlip(good);

describe('a bit that flips on the way from the store, in a source that still decodes', () => {
  let store: ReturnType<typeof flippingBucket>;
  let federator: TestFederator;
  beforeEach(async () => {
    store = flippingBucket(federatedBucket({ empty: true }));
    await pushed(store.bucket, other, goldenSource('cluster-1', firstDay));
    await pushed(store.bucket, key, good);
    federator = new TestFederator(store.bucket, threads);
  });

  test('is noticed: the source is read again, and nothing else happens', async () => {
    const reads = store.flip(key, at, 3);
    const run = await federator.federate();
    expect(run.outcomes).toMatchObject([{ window: firstDay, clusters: 2, quarantined: 0 }]);
    expect(reads()).toBe(4);
    const merged = await federator.merged(firstDay);
    await federator.federate({ force: true });
    expect((await federator.merged(firstDay)).equals(merged)).toBe(true);
  });

  test('each time it is read: the last good contribution stays, and the first run that reads it right merges it', async () => {
    await federator.federate();
    const before = await federator.merged(firstDay);
    await pushed(store.bucket, key, flipped(good, at));
    store.flip(key, at, Infinity);
    const bad = await federator.federate();
    expect(bad.outcomes).toMatchObject([{ clusters: 2, changed: 1, quarantined: 1 }]);
    expect((await federator.newest()).quarantined).toMatchObject([
      { cluster: 'cluster-2', window: firstDay, code: 'STORAGE_CORRUPT' },
    ]);
    expect(sameMeaning('allocations', await federator.merged(firstDay), before)).toEqual([]);

    const reads = store.flip(key, at, Infinity);
    const again = await federator.federate();
    expect(again.commit).toMatchObject({ status: 'unchanged', quarantined: 1 });
    expect(reads()).toBe(4);

    store.flip(key, at, 0);
    const healed = await federator.federate();
    expect(healed.commit).toMatchObject({ status: 'committed', quarantined: 0 });
  });

  test('of a cluster without an earlier contribution: the others are merged, and the next run merges it', async () => {
    store.flip(key, at, Infinity);
    const first = await federator.federate();
    expect(first.outcomes).toMatchObject([{ clusters: 1, quarantined: 1 }]);
    store.flip(key, at, 0);
    const next = await federator.federate();
    expect(next.outcomes).toMatchObject([{ clusters: 2, quarantined: 0 }]);
  });

  test('in a gzipped source is noticed, too', async () => {
    const packed = gzipSync(good);
    await store.bucket.delete(key);
    await pushed(store.bucket, `${key}.gz`, packed);
    store.flip(`${key}.gz`, packed.length - 1, Infinity);
    await federator.federate();
    expect((await federator.newest()).quarantined).toMatchObject([{ code: 'STORAGE_CORRUPT' }]);
    store.flip(`${key}.gz`, 0, 0);
    expect((await federator.federate()).outcomes).toMatchObject([{ clusters: 2, quarantined: 0 }]);
  });

  test('in a kept contribution is noticed, too', async () => {
    await federator.federate();
    await pushed(store.bucket, key, Buffer.alloc(0));
    await federator.federate();
    await pushed(store.bucket, other, flipped(goldenSource('cluster-1', firstDay), at));
    const reads = store.flip(keptFile('cluster-2', firstDay), at, 1);
    expect((await federator.federate({ force: true })).outcomes).toMatchObject([{ quarantined: 1 }]);
    expect(reads()).toBe(2);
  });

  test('in a merged object is noticed when a contribution is cut out of it', async () => {
    await federator.federate();
    const merged = objectKey((await federator.newest()).windows[firstDay]?.fingerprint ?? '');
    await pushed(store.bucket, key, Buffer.alloc(0));
    const reads = store.flip(merged, at, 3);
    expect((await federator.federate()).outcomes).toMatchObject([{ clusters: 2, quarantined: 1 }]);
    expect(reads()).toBeGreaterThan(3);
    const kept = (await readAll(store.bucket, keptFile('cluster-2', firstDay))).bytes;
    expect(sameMeaning('allocations', kept, good, { strict: true })).toEqual([]);
  });

  test('in a merged object is noticed when a primary ingests it', async () => {
    await federator.federate();
    const generation = await federator.newest();
    const read = jest.fn().mockResolvedValue([]);
    const [window] = wantedWindows(
      { combined: store.bucket, threads: { read } as never },
      generation,
      signal,
    );
    const merged = objectKey(generation.windows[firstDay]?.fingerprint ?? '');
    store.flip(merged, at, 3);
    await window?.read(false);
    expect(read).toHaveBeenCalledWith(expect.anything(), await federator.merged(firstDay), signal, false);
    store.flip(merged, at, Infinity);
    await expect(window?.read(false)).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
  });

  test('of an agent that stores no digest cannot be noticed: the source is read once', async () => {
    await store.bucket.put(key, good);
    const reads = store.flip(key, at, 1);
    expect((await federator.federate()).outcomes).toMatchObject([{ clusters: 2, quarantined: 0 }]);
    expect(reads()).toBe(1);
  });
});

describeWithS3('on S3', () => {
  test('the digest comes with the source: a flipped bit costs one more request', async () => {
    const server = await connectToS3();
    const name = `b-${randomUUID()}`;
    await server.createBucket(name);
    const { hostname, port } = new URL(server.endpoint);
    const proxy = await startFaultProxy({ hostname, port: Number(port) });
    const bucket = await openS3(s3Config.parse({ ...s3Settings(server, name), endpoint: proxy.host }));
    try {
      await pushed(bucket, key, good);
      let reads = 0;
      proxy.plan(({ method, url }) =>
        method === 'GET' && url?.includes(key) === true && ++reads === 1 ? { kind: 'flip', at } : undefined,
      );
      const federator = new TestFederator(bucket, threads);
      expect((await federator.federate()).outcomes).toMatchObject([{ clusters: 1, quarantined: 0 }]);
      expect(reads).toBe(2);
      const folder = federatedBucket({ empty: true });
      await pushed(folder, key, good);
      const right = new TestFederator(folder, threads);
      await right.federate();
      expect((await federator.merged(firstDay)).equals(await right.merged(firstDay))).toBe(true);
    } finally {
      await bucket.close();
      await proxy.close();
    }
  });
});
