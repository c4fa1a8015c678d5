import {
  generationsPrefix,
  keptPrefix,
  objectsPrefix,
  parseGenerationKey,
  provenanceKey,
  runReportKey,
  runRequestKey,
  runsPrefix,
} from '../../federation/layout';
import type { Bucket, ListEntry, ObjectInfo } from '../../storage/bucket';
import {
  firstDay,
  goldenSource,
  keptFile,
  overriding,
  smallBucket,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const hour = 3_600_000;
const day = 24 * hour;

/** Wraps a bucket, so that the modification times of objects come from a clock that the test sets. */
function withClock(bucket: Bucket) {
  const written = new Map<string, Date>();
  const clock = { now: Date.parse('2026-11-20T00:30:00Z') };
  const stamped = <Info extends ObjectInfo>(info: Info): Info => ({
    ...info,
    modified: written.get(info.key) ?? new Date(0),
  });
  const stamp = <Info extends ObjectInfo>(info: Info): Info => {
    written.set(info.key, new Date(clock.now));
    return stamped(info);
  };
  const timed = overriding(bucket, {
    list: async function* (prefix, options): AsyncGenerator<ListEntry> {
      for await (const entry of bucket.list(prefix, options))
        yield entry.kind === 'object' ? stamped(entry) : entry;
    },
    head: async (key, options) => {
      const head = await bucket.head(key, options);
      return head && stamped(head);
    },
    put: async (key, body, options) => stamp(await bucket.put(key, body, options)),
    create: async (key, body, options) => stamp(await bucket.create(key, body, options)),
    copy: async (from, to, options) => stamp(await bucket.copy(from, to, options)),
  });
  return { bucket: timed, clock };
}

function setUp(generations = 2) {
  const { bucket, clock } = withClock(smallBucket());
  return { federator: new TestFederator(bucket, threads, { generations }), bucket, clock };
}

async function change(bucket: Bucket, cluster = 'cluster-1'): Promise<void> {
  await bucket.put(sourceKey(cluster, firstDay), goldenSource(cluster, firstDay));
}

async function generationNumbers(bucket: Bucket): Promise<(number | undefined)[]> {
  return Object.keys(await snapshot(bucket, generationsPrefix)).map(parseGenerationKey);
}

test('the generations of the last day are all kept, then the newest and the last of each day', async () => {
  const { federator, bucket, clock } = setUp();
  for (let run = 0; run < 6; run++) {
    await change(bucket);
    await federator.federate();
    clock.now += 12 * hour;
  }
  // Two generations were committed on each of three days. The clean-up runs on the fourth day.
  await federator.cleanUp();
  expect(await generationNumbers(bucket)).toEqual([2, 4, 5, 6]);
  clock.now += 31 * day;
  await federator.cleanUp();
  expect(await generationNumbers(bucket)).toEqual([5, 6]);
});

test('an object is deleted once two passes a day apart, by the store’s clock, find it in no kept generation', async () => {
  const { federator, bucket, clock } = setUp();
  await federator.federate();
  const old = (await federator.newest()).windows[firstDay]?.fingerprint ?? '';
  for (let run = 0; run < 2; run++) {
    clock.now += hour;
    await change(bucket);
    await federator.federate();
  }
  clock.now += 31 * day;
  // The first clean-up only records that the old object is unreferenced. A clean-up 24 hours later deletes it.
  expect(await federator.cleanUp()).toMatchObject({ generations: 1, objects: 0, waiting: 1 });
  clock.now += 23 * hour;
  expect(await federator.cleanUp()).toMatchObject({ objects: 0, waiting: 1 });
  clock.now += hour;
  expect(await federator.cleanUp()).toMatchObject({ objects: 1, waiting: 0 });
  expect(await snapshot(bucket, `${objectsPrefix}${old}`)).toEqual({});
  // The clean-up must not have deleted any object that the newest generation refers to.
  for (const { fingerprint } of Object.values((await federator.newest()).windows)) {
    expect(await bucket.head(provenanceKey(fingerprint))).toBeDefined();
  }
  expect((await federator.federate()).commit).toMatchObject({ status: 'unchanged' });
});

test('an object that a run reuses is spared', async () => {
  const { federator, bucket, clock } = setUp();
  await federator.federate();
  const { run, outcomes } = await (async () => {
    await change(bucket);
    return federator.prepare();
  })();
  expect(outcomes).toHaveLength(1);
  clock.now += 2 * day;
  await federator.cleanUp();
  clock.now += 2 * day;
  // The first `prepare` has written an object, but the object was not committed. The next run has the same sources, so
  // it reuses the object.
  const again = await federator.prepare();
  expect(again.outcomes).toMatchObject([{ reused: true, fingerprint: outcomes[0]?.fingerprint }]);
  expect(await federator.cleanUp()).toMatchObject({ objects: 0 });
  expect(await federator.commit(again.run)).toMatchObject({ status: 'committed' });
  expect(run).not.toBe(again.run);
});

test('an excluded cluster’s data is kept as long as it is excluded', async () => {
  const { federator, bucket, clock } = setUp();
  await federator.federate();
  const whole = (await federator.newest()).windows;
  federator.exclusions = { 'cluster-2': { reason: '', at: '2026-11-20T00:00:00Z' } };
  for (let run = 0; run < 4; run++) {
    await change(bucket);
    await federator.federate();
    clock.now += 20 * day;
    await federator.cleanUp();
  }
  expect(await generationNumbers(bucket)).toContain(1);
  await bucket.delete(sourceKey('cluster-2', firstDay));
  federator.exclusions = {};
  expect((await federator.federate()).commit).toMatchObject({ clusters: 5, quarantined: 1 });
  const { windows, quarantined } = await federator.newest();
  expect(quarantined).toMatchObject([{ cluster: 'cluster-2', window: firstDay, code: 'SOURCE_VANISHED' }]);
  expect(Object.keys(windows)).toEqual(Object.keys(whole));
});

test('a kept contribution is retained while a kept generation names it, and deleted after the source heals', async () => {
  const { federator, bucket, clock } = setUp(1);
  await federator.federate();
  await bucket.delete(sourceKey('cluster-2', firstDay));
  await federator.federate();
  for (let pass = 0; pass < 3; pass++) {
    clock.now += 40 * day;
    await federator.cleanUp();
  }
  expect(Object.keys(await snapshot(bucket, keptPrefix))).toEqual([keptFile('cluster-2', firstDay)]);
  await change(bucket, 'cluster-2');
  await federator.federate();
  const deleted: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    clock.now += 40 * day;
    deleted.push((await federator.cleanUp()).kept);
  }
  expect(deleted).toEqual([0, 1, 0]);
  expect(await snapshot(bucket, keptPrefix)).toEqual({});
});

test('a run’s plans are deleted after two days, its request and report after thirty', async () => {
  const { federator, bucket, clock } = setUp();
  const { run } = await federator.prepare();
  await federator.commit(run);
  await bucket.put(runReportKey(run), Buffer.from('{}'));
  clock.now += 23 * hour;
  expect(await federator.cleanUp()).toMatchObject({ runs: 0 });
  clock.now += 2 * day;
  expect((await federator.cleanUp()).runs).toBeGreaterThan(0);
  expect(Object.keys(await snapshot(bucket, runsPrefix)).sort()).toEqual([
    runReportKey(run),
    runRequestKey(run),
  ]);
  clock.now += 28 * day;
  expect(await federator.cleanUp()).toMatchObject({ runs: 2 });
});

test('a bucket without a generation is left unchanged', async () => {
  const { federator, bucket, clock } = setUp();
  await federator.prepare();
  clock.now += day / 2;
  await federator.cleanUp();
  expect(Object.keys(await snapshot(bucket, objectsPrefix))).toHaveLength(6);
});
