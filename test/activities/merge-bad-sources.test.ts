import { createMergeWindow } from '../../activities/merge-window';
import { isFederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet, encodeSet } from '../../etl/file';
import { keptPrefix, objectKey, provenanceKey } from '../../federation/layout';
import { readAll } from '../../storage/read-all';
import { sameMeaning } from '../etl/same-meaning';
import {
  federatedBucket,
  firstDay,
  goldenSource,
  keptFile,
  overriding,
  secondDay,
  smallBucket,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const good = goldenSource('cluster-2', firstDay);
const emptied = encodeSet({ ...decodeSet('allocations', good), allocations: new Map() });
const source = sourceKey('cluster-2', firstDay);
const kept = keptFile('cluster-2', firstDay);

/**
 * Ways in which a cluster's file can be bad. Each has a description, the expected error code, and the bytes of the
 * file. If the bytes are undefined, the file is deleted.
 */
const bad: [string, string, Buffer | undefined][] = [
  ['corrupt', 'ETL_CORRUPT', Buffer.from('not an ETL file at all')],
  ['truncated', 'ETL_TRUNCATED', good.subarray(0, good.length - 100)],
  ['of zero bytes', 'ETL_EMPTY_FILE', Buffer.alloc(0)],
  ['of another window', 'ETL_WRONG_WINDOW', goldenSource('cluster-2', secondDay)],
  [
    'of the other pipeline',
    'ETL_WRONG_PIPELINE',
    goldenSource('cluster-2', firstDay.replace('allocations', 'assets')),
  ],
  ['without its records', 'SOURCE_EMPTIED', emptied],
  ['gone', 'SOURCE_VANISHED', undefined],
];

describe.each(bad)('a source that is %s', (_, code, bytes) => {
  test('is quarantined as kept: its last good contribution stays exactly, it is not read again, and a good upload heals it', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    await federator.federate();
    const before = await federator.merged(firstDay);

    await (bytes === undefined ? bucket.delete(source) : bucket.put(source, bytes));
    const bad = await federator.federate();
    expect(bad.outcomes).toMatchObject([{ window: firstDay, clusters: 5, changed: 1, quarantined: 1 }]);
    expect(bad.commit).toMatchObject({
      status: 'committed',
      generation: 2,
      quarantined: 1,
      degraded: ['cluster-2'],
    });
    expect(sameMeaning('allocations', await federator.merged(firstDay), before, { strict: true })).toEqual(
      [],
    );
    const keptBytes = (await readAll(bucket, kept)).bytes;
    expect(sameMeaning('allocations', keptBytes, good, { strict: true })).toEqual([]);
    const { quarantined } = await federator.newest();
    expect(quarantined).toMatchObject([{ cluster: 'cluster-2', window: firstDay, code }]);
    expect(quarantined[0]?.kept).toBe((await bucket.head(kept))?.version);

    const next = await federator.federate();
    expect(next.plan).toMatchObject({ outcome: 'nothing-changed', planned: 0 });
    expect(next.commit).toMatchObject({ status: 'unchanged', quarantined: 1 });

    // If another cluster's file changes, the window is merged again. The merge must still use the last good
    // contribution of the cluster whose file is bad.
    await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
    const other = await federator.federate();
    expect(other.outcomes).toMatchObject([{ window: firstDay, clusters: 5, changed: 1, quarantined: 1 }]);
    expect(sameMeaning('allocations', await federator.merged(firstDay), before, { strict: true })).toEqual(
      [],
    );

    await bucket.put(source, good);
    const healed = await federator.federate();
    expect(healed.commit).toMatchObject({ status: 'committed', generation: 4, quarantined: 0 });
    expect((await federator.merged(firstDay)).equals(before)).toBe(true);
  });
});

test('a source that was never good is refused, the others are merged, and it is not read again', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.bucket.put(source, Buffer.from('not an ETL file at all'));
  const first = await federator.federate();
  expect(first.outcomes.find((outcome) => outcome.window === firstDay)).toMatchObject({
    clusters: 4,
    quarantined: 1,
  });
  expect(await snapshot(federator.bucket, keptPrefix)).toEqual({});
  expect((await federator.federate()).plan.planned).toBe(0);
  await federator.bucket.put(source, good);
  expect((await federator.federate()).outcomes).toMatchObject([
    { window: firstDay, clusters: 5, quarantined: 0 },
  ]);
});

test('a window without any good source is not created, and is not planned repeatedly', async () => {
  const federator = new TestFederator(federatedBucket({ empty: true }), threads);
  await federator.bucket.put(source, Buffer.alloc(0));
  const first = await federator.federate();
  expect(first.outcomes).toMatchObject([{ window: firstDay, clusters: 0, quarantined: 1, removed: false }]);
  expect(first.commit).toMatchObject({ status: 'committed', windows: 0, quarantined: 1 });
  expect((await federator.federate()).plan).toMatchObject({ outcome: 'nothing-changed', planned: 0 });
});

test('a kept contribution survives its cluster’s exclusion', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  const before = await federator.merged(firstDay);
  await federator.bucket.delete(source);
  await federator.federate();
  federator.exclusions = { 'cluster-2': { reason: '', at: '2026-11-20T00:00:00Z' } };
  const out = await federator.federate();
  expect(out.commit).toMatchObject({ quarantined: 0 });
  expect((await federator.newest()).quarantined).toHaveLength(1);
  federator.exclusions = {};
  const back = await federator.federate();
  expect(back.outcomes.every((outcome) => outcome.reused)).toBe(true);
  expect(back.commit).toMatchObject({ quarantined: 1 });
  expect(sameMeaning('allocations', await federator.merged(firstDay), before)).toEqual([]);
});

test('a kept contribution that is missing is recreated', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  const before = await federator.merged(firstDay);
  await federator.bucket.delete(source);
  await federator.federate();
  await federator.bucket.delete(kept);
  await federator.bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  const { outcomes } = await federator.federate();
  expect(outcomes).toMatchObject([{ clusters: 5, quarantined: 1 }]);
  expect(
    sameMeaning('allocations', (await readAll(federator.bucket, kept)).bytes, good, { strict: true }),
  ).toEqual([]);
  expect(sameMeaning('allocations', await federator.merged(firstDay), before)).toEqual([]);
});

test('a window that only an excluded cluster contributed to is removed', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const own = 'allocations/1d/1794528000-1794614400';
  const set = decodeSet('allocations', good);
  const shifted = encodeSet({
    ...set,
    allocations: new Map(),
    window: { ...set.window, start: null, end: null },
  });
  await federator.bucket.put(sourceKey('cluster-2', own), shifted);
  await federator.federate();
  expect((await federator.newest()).windows[own]).toBeDefined();
  federator.exclusions = { 'cluster-2': { reason: '', at: '2026-11-20T00:00:00Z' } };
  const { outcomes, commit } = await federator.federate();
  expect(outcomes.find((outcome) => outcome.window === own)).toMatchObject({ clusters: 0, removed: true });
  expect(commit).toMatchObject({ removed: 1 });
  expect((await federator.newest()).windows[own]).toBeUndefined();
});

describe('a decision of a person', () => {
  const by = { by: 'ann@host', why: 'it ran nothing that day', at: '2026-11-21T00:00:00Z' };
  const decided = { by: by.by, reason: by.why, at: by.at };
  const about = (kind: 'accept' | 'drop', generation = 2) => ({
    ...by,
    change: { kind, cluster: clusterId('cluster-2'), generation },
  });

  /**
   * Federates, replaces the source with `bytes`, and federates again. If `bytes` is undefined, deletes the source
   * instead.
   */
  async function quarantined(bytes: Buffer | undefined): Promise<TestFederator> {
    const federator = new TestFederator(smallBucket(), threads);
    await federator.federate();
    await (bytes === undefined ? federator.bucket.delete(source) : federator.bucket.put(source, bytes));
    await federator.federate();
    return federator;
  }

  /** Returns the total number of records in the merged window. */
  const recordsOf = async (federator: TestFederator) =>
    decodeSet('allocations', await federator.merged(firstDay)).allocations?.size ?? 0;

  test.each([
    ['without records', emptied],
    ['that has vanished', undefined],
  ])(
    'accepts a source %s: its records leave, and the next version is judged like any other',
    async (_, bytes) => {
      const federator = await quarantined(bytes);
      const { bucket } = federator;
      const before = await recordsOf(federator);
      const { plan, commit } = await federator.federate(about('accept'));
      expect(plan).toMatchObject({ outcome: 'work', planned: 1 });
      expect(commit).toMatchObject({ status: 'committed', generation: 3, quarantined: 0, degraded: [] });
      const accepted = { cluster: 'cluster-2', window: firstDay, decided };
      expect(await federator.newest()).toMatchObject({ quarantined: [], accepted: [accepted] });
      expect(await recordsOf(federator)).toBeLessThan(before);

      // The source stays accepted if the decision is repeated, and if another cluster pushes a new file.
      expect((await federator.federate(about('accept'))).commit).toMatchObject({ status: 'unchanged' });
      await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
      expect((await federator.federate()).commit).toMatchObject({ status: 'committed', quarantined: 0 });
      expect((await federator.newest()).accepted).toMatchObject([accepted]);

      await bucket.put(source, good);
      expect((await federator.federate()).commit).toMatchObject({ status: 'committed', quarantined: 0 });
      expect(await federator.newest()).toMatchObject({ quarantined: [], accepted: [] });
      expect(await recordsOf(federator)).toBe(before);
      await bucket.put(source, emptied);
      expect((await federator.federate()).commit).toMatchObject({ quarantined: 1, degraded: ['cluster-2'] });
    },
  );

  test('drops a source: nothing is merged again, it stays listed, and another version is judged', async () => {
    const federator = await quarantined(Buffer.from('not an ETL file at all'));
    const { bucket } = federator;
    const { windows } = await federator.newest();
    const { outcomes, commit } = await federator.federate(about('drop'));
    expect(outcomes).toEqual([]);
    expect(commit).toMatchObject({ status: 'committed', generation: 3, quarantined: 0, degraded: [] });
    const dropped = { cluster: 'cluster-2', code: 'ETL_CORRUPT', dropped: decided };
    expect(await federator.newest()).toMatchObject({ windows, quarantined: [dropped] });

    // The dropped source is not read again, and stays dropped when its window is merged again.
    await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
    const full = await federator.federate({ full: true });
    expect(full.outcomes.filter(({ window }) => window === firstDay)).toMatchObject([
      { quarantined: 0, listed: true },
    ]);
    expect(full.commit).toMatchObject({ status: 'committed', quarantined: 0 });
    expect((await federator.newest()).quarantined).toMatchObject([dropped]);

    // If the last good contribution of the dropped source is missing, the merge writes it again.
    await bucket.delete(kept);
    await bucket.put(sourceKey('cluster-3', firstDay), goldenSource('cluster-3', firstDay));
    expect((await federator.federate()).commit).toMatchObject({ status: 'committed', quarantined: 0 });
    expect((await federator.newest()).quarantined).toMatchObject([dropped]);

    // Accepting the dropped source undoes the drop. The source stays quarantined, because nothing in it can be merged.
    const { generation } = await federator.newest();
    expect((await federator.federate(about('accept', generation))).commit).toMatchObject({ quarantined: 1 });
    expect((await federator.newest()).quarantined[0]).not.toHaveProperty('dropped');
    await federator.federate(about('drop', generation + 1));

    await bucket.put(source, good.subarray(0, good.length - 100));
    expect((await federator.federate()).commit).toMatchObject({ quarantined: 1, degraded: ['cluster-2'] });
    expect((await federator.newest()).quarantined[0]).not.toHaveProperty('dropped');
  });

  test('does not apply to a version that the person has not seen', async () => {
    const federator = await quarantined(emptied);
    await federator.bucket.put(source, Buffer.alloc(0));
    const replaced = await federator.federate(about('accept'));
    expect(replaced.commit).toMatchObject({ status: 'committed', quarantined: 1 });
    expect(await federator.newest()).toMatchObject({
      quarantined: [{ code: 'ETL_EMPTY_FILE' }],
      accepted: [],
    });
    expect((await federator.federate(about('drop'))).commit).toMatchObject({ status: 'unchanged' });
  });

  test('does not make a file readable', async () => {
    const federator = await quarantined(Buffer.from('not an ETL file at all'));
    const { plan, commit } = await federator.federate(about('accept'));
    expect(plan).toMatchObject({ outcome: 'nothing-changed' });
    expect(commit).toMatchObject({ status: 'unchanged', quarantined: 1 });
  });

  test('about a generation that was cleaned up fails the run', async () => {
    const federator = await quarantined(emptied);
    const failure = await federator.federate(about('accept', 9)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'GENERATION_UNREADABLE',
      detail: expect.stringContaining('generation 9'),
    });
  });

  test('outlasts an exclusion of its cluster, and can be made meanwhile', async () => {
    const federator = await quarantined(emptied);
    federator.exclusions = { 'cluster-2': { reason: '', at: '2026-11-20T00:00:00Z' } };
    await federator.federate();
    expect((await federator.federate(about('accept', 3))).commit).toMatchObject({ status: 'committed' });
    expect((await federator.newest()).accepted).toMatchObject([{ cluster: 'cluster-2', decided }]);
    federator.exclusions = {};
    expect((await federator.federate()).commit).toMatchObject({ status: 'committed', quarantined: 0 });
    expect(await federator.newest()).toMatchObject({ quarantined: [], accepted: [{ cluster: 'cluster-2' }] });
  });

  test('about a file that changes while it is merged is for the accepted version only', async () => {
    const federator = await quarantined(emptied);
    const { bucket } = federator;
    let reads = 0;
    const moving = overriding(bucket, {
      get: async (key, options) => {
        if (key === source && ++reads === 1) await bucket.put(source, Buffer.alloc(0));
        return bucket.get(key, options);
      },
    });
    const { commit } = await new TestFederator(moving, threads, { id: 'cluster-9' }).federate(
      about('accept'),
    );
    expect(commit).toMatchObject({ status: 'committed', quarantined: 1 });
    expect(await federator.newest()).toMatchObject({
      quarantined: [{ code: 'ETL_EMPTY_FILE' }],
      accepted: [],
    });
  });

  test('can remove a window', async () => {
    const federator = new TestFederator(federatedBucket({ empty: true }), threads);
    const { bucket } = federator;
    await bucket.put(source, good);
    await bucket.put(sourceKey('cluster-2', secondDay), goldenSource('cluster-2', secondDay));
    await federator.federate();
    await bucket.delete(source);
    expect((await federator.federate()).commit).toMatchObject({ windows: 2, quarantined: 1 });
    const { outcomes, commit } = await federator.federate(about('accept'));
    expect(outcomes).toMatchObject([{ window: firstDay, removed: true, quarantined: 0 }]);
    expect(commit).toMatchObject({ status: 'committed', windows: 1, removed: 1, quarantined: 0 });
    expect((await federator.federate()).plan).toMatchObject({ outcome: 'nothing-changed' });
    expect((await federator.newest()).accepted).toMatchObject([{ seen: 'absent', code: 'SOURCE_VANISHED' }]);
  });
});

describe('a source that changes after planning', () => {
  test('is merged as it is now, under a fingerprint for those bytes', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    await federator.federate();
    await federator.bucket.put(source, good);
    const { bucket } = federator;
    let reads = 0;
    const moving = overriding(bucket, {
      get: async (key, options) => {
        if (key === source && ++reads === 1) await bucket.put(source, good);
        return bucket.get(key, options);
      },
    });
    const { outcomes, commit } = await new TestFederator(moving, threads, { id: 'cluster-9' }).federate();
    expect(outcomes).toMatchObject([{ window: firstDay, clusters: 5, quarantined: 0 }]);
    expect(commit).toMatchObject({ status: 'committed' });
    // The merge has used the new version of the file, so the next run has nothing to do.
    expect((await federator.federate()).plan.planned).toBe(0);
  });

  test('repeatedly is left to a later attempt', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    const moving = overriding(bucket, {
      get: async (key, options) => {
        if (key === source) await bucket.put(source, good);
        return bucket.get(key, options);
      },
    });
    const failure = await new TestFederator(moving, threads).federate().catch((error: unknown) => error);
    expect(isFederationError(failure, 'STORAGE_CONFLICT')).toBe(true);
  });

  test('by being deleted is quarantined as kept', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    await federator.federate();
    await federator.bucket.put(source, good);
    const { bucket } = federator;
    const vanishing = overriding(bucket, {
      get: async (key, options) => {
        if (key === source) await bucket.delete(source);
        return bucket.get(key, options);
      },
    });
    const { commit } = await new TestFederator(vanishing, threads, { id: 'cluster-9' }).federate();
    expect(commit).toMatchObject({ status: 'committed', quarantined: 1 });
    expect((await federator.newest()).quarantined).toMatchObject([
      { code: 'SOURCE_VANISHED', seen: 'absent' },
    ]);
  });
});

test('store errors are thrown, and do not count as bad sources', async () => {
  const { bucket } = new TestFederator(smallBucket(), threads);
  const failing = overriding(bucket, {
    get: async (key, options) => {
      if (key === source) throw new TypeError('the network is down');
      return bucket.get(key, options);
    },
  });
  await expect(new TestFederator(failing, threads).federate()).rejects.toThrow('the network is down');
});

test('equal sources give equal bytes, and merges of a killed run are found finished', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const first = await federator.prepare();
  const objects = await Promise.all(
    first.outcomes.map(
      async ({ fingerprint = '' }) => (await readAll(federator.bucket, objectKey(fingerprint))).bytes,
    ),
  );
  const second = await federator.prepare();
  expect(second.outcomes.every((outcome) => outcome.reused)).toBe(true);
  const forced = await federator.prepare({ force: true });
  expect(forced.outcomes.map(({ digest }) => digest)).toEqual(first.outcomes.map(({ digest }) => digest));
  // A merged object is complete only if its provenance exists. Without the provenance, the window is merged again.
  const [{ fingerprint = '' } = {}] = first.outcomes;
  await federator.bucket.delete(provenanceKey(fingerprint));
  const third = await federator.prepare();
  expect(third.outcomes.filter((outcome) => !outcome.reused)).toHaveLength(1);
  const again = await readAll(federator.bucket, objectKey(fingerprint));
  expect(again.bytes.equals(objects[0] ?? Buffer.alloc(0))).toBe(true);
});

test('cancelling stops a merge', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.prepare();
  const cancel = new AbortController();
  const deps = { ...federator.deps, signal: () => cancel.signal };
  const merging = createMergeWindow(deps)({
    run: 'run-cluster-4-1',
    attempt: 1,
    shard: 0,
    index: 0,
    force: true,
  });
  cancel.abort(new Error('cancelled by the operator'));
  await expect(merging).rejects.toThrow('cancelled by the operator');
});
