import { FederationError } from '../../errors/federation-error';
import { generationKey, objectKey, provenanceKey } from '../../federation/layout';
import type { FederationRequest } from '../../federation/run';
import type { Bucket } from '../../storage/bucket';
import {
  firstDay,
  goldenSource,
  overriding,
  renamedSource,
  smallBucket,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();
const person = { reason: 'wrong prices', at: '2026-11-20T00:30:00.000Z' };
const rollback = (to: number): Partial<FederationRequest> => ({
  change: { kind: 'rollback', to },
  by: 'ann@host',
  why: 'numbers are wrong',
  at: '2026-11-20T01:00:00.000Z',
});

/** Returns a federator whose generation 2 differs from generation 1 in the first day: cluster-1 replaced its file. */
async function twoGenerations(bucket: Bucket = smallBucket()): Promise<TestFederator> {
  const federator = new TestFederator(bucket, threads);
  await federator.federate();
  await bucket.put(sourceKey('cluster-1', firstDay), renamedSource('cluster-3', firstDay, 'cluster-1'));
  await federator.federate();
  return federator;
}

/** Federates all clusters except the given ones, and returns the merged file of the first day. */
async function mergedWithout(...excluded: string[]): Promise<Buffer> {
  const federator = new TestFederator(smallBucket(), threads, { scope: { exclude: excluded } });
  await federator.federate();
  return federator.merged(firstDay);
}

async function errorOf(work: Promise<unknown>): Promise<FederationError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FederationError) return error;
  throw new Error(`Expected a FederationError, not ${String(error)}.`);
}

test('a rollback commits the windows of an earlier generation under a new number, with a hold', async () => {
  const federator = await twoGenerations();
  const wrong = await federator.newest();
  const { plan, commit } = await federator.federate(rollback(1));
  expect(plan).toMatchObject({ outcome: 'work', base: 1, planned: 0, windows: 3 });
  expect(commit).toMatchObject({ status: 'committed', generation: 3, quarantined: 0, onHold: true });
  const after = await federator.newest();
  expect(after).toMatchObject({
    parent: { generation: 1, run: 'run-cluster-4-1' },
    replaces: { generation: 2, run: wrong.run },
    hold: { generation: 1, by: 'ann@host', reason: 'numbers are wrong', at: '2026-11-20T01:00:00.000Z' },
  });
  expect(after.windows[firstDay]).not.toEqual(wrong.windows[firstDay]);
  expect(await federator.merged(firstDay)).toEqual(await mergedWithout());
  expect((await federator.publish()).generation).toBe(3);
});

test('while the hold stands, every other run ends on-hold and writes no generation', async () => {
  const federator = await twoGenerations();
  await federator.federate(rollback(1));
  const other = new TestFederator(federator.bucket, threads, { id: 'cluster-9', scope: { exclude: ['x'] } });
  const generation = (await federator.newest()).generation;
  const accept = { kind: 'accept', cluster: 'cluster-1', generation } as FederationRequest['change'];
  const requests: Partial<FederationRequest>[] = [
    { trigger: 'schedule' },
    { trigger: 'push' },
    { trigger: 'person' },
    { trigger: 'person', force: true, full: true, takeOver: true },
    { trigger: 'person', change: accept },
    { trigger: 'person', from: 2 },
  ];
  const before = await snapshot(federator.bucket, 'federated/combined/generations/');
  for (const one of [federator, other]) {
    for (const request of requests) {
      const { plan, commit } = await one.federate(request);
      expect(plan).toMatchObject({
        outcome: 'on-hold',
        base: 3,
        planned: 0,
        shards: 0,
        heldBy: { generation: 1, by: 'ann@host' },
      });
      expect(commit).toBeUndefined();
    }
  }
  expect(await snapshot(federator.bucket, 'federated/combined/generations/')).toEqual(before);
});

test('resuming ends the hold and federates what differs', async () => {
  const federator = await twoGenerations();
  const wrong = await federator.newest();
  await federator.federate(rollback(1));
  const { plan, commit } = await federator.federate({ resume: true });
  expect(plan).toMatchObject({ outcome: 'work', base: 3, planned: 1 });
  expect(commit).toMatchObject({ status: 'committed', generation: 4, onHold: false });
  const after = await federator.newest();
  expect(after.windows).toEqual(wrong.windows);
  expect(after).not.toHaveProperty('hold');
  expect((await federator.federate({ trigger: 'schedule' })).plan.outcome).toBe('nothing-changed');
});

test('resuming commits even if no file differs', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  await federator.federate(rollback(1));
  expect(await federator.newest()).not.toHaveProperty('replaces');
  const { plan, commit } = await federator.federate({ resume: true });
  expect(plan).toMatchObject({ outcome: 'work', planned: 0 });
  expect(commit).toMatchObject({ status: 'committed', generation: 3, onHold: false });
});

test('excluded clusters stay out, and the others come from the merged objects alone', async () => {
  const bucket = smallBucket();
  const federator = await twoGenerations(bucket);
  const read: string[] = [];
  const watched = overriding(bucket, {
    get: (key, options) => {
      read.push(key);
      return bucket.get(key, options);
    },
  });
  const watching = new TestFederator(watched, threads, { id: 'cluster-5' });
  for (const out of [['cluster-2'], ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4']]) {
    watching.exclusions = Object.fromEntries(out.map((cluster) => [cluster, person]));
    const { plan, commit } = await watching.federate(rollback(1));
    expect(plan).toMatchObject({ base: 1, planned: 3, excluded: { ids: out } });
    expect(commit).toMatchObject({ status: 'committed' });
    expect(await watching.merged(firstDay)).toEqual(await mergedWithout(...out));
    const { membership } = await watching.newest();
    expect(membership.clusters).not.toContain('cluster-2');
    // A later inclusion must bring back the newest history of cluster-2. This history is in generation 2, which was
    // rolled back.
    expect(membership.excluded).toMatchObject({ 'cluster-2': { by: 'person', lastGeneration: 2 } });
  }
  expect(read.filter((key) => key.includes('/etl/bingen/') && !key.includes('combined'))).toEqual([]);
  watching.exclusions = {};
  await watching.federate({ resume: true });
  expect((await watching.newest()).windows).toEqual((await federator.newest()).windows);
});

test('a cluster that came later is not in it; resuming brings it back, even if its files are gone', async () => {
  const bucket = smallBucket();
  const without = new TestFederator(bucket, threads, { id: 'cluster-4' });
  without.exclusions = { 'cluster-5': person };
  await without.federate();
  without.exclusions = {};
  await without.federate();
  const all = await without.merged(firstDay);
  await without.federate(rollback(1));
  expect((await without.newest()).membership.clusters).not.toContain('cluster-5');
  await bucket.delete(sourceKey('cluster-5', firstDay));
  await without.federate({ resume: true });
  expect(await without.merged(firstDay)).toEqual(all);
  expect((await without.newest()).quarantined).toMatchObject([
    { cluster: 'cluster-5', window: firstDay, code: 'SOURCE_VANISHED' },
  ]);
});

test.each([
  ['object', (fingerprint: string) => objectKey(fingerprint)],
  ['provenance', (fingerprint: string) => provenanceKey(fingerprint)],
])('a generation of which an %s is gone is refused', async (_, keyOf) => {
  const federator = await twoGenerations();
  const key = keyOf((await federator.newest()).windows[firstDay]?.fingerprint ?? '');
  await federator.federate(rollback(1));
  await federator.bucket.delete(key);
  const error = await errorOf(federator.federate(rollback(2)));
  expect(error).toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE', subject: { key }, retryable: false });
  expect(error.detail).toContain(key);
  expect((await federator.newest()).generation).toBe(3);
});

test('a generation that does not exist, or is damaged, is refused', async () => {
  const federator = await twoGenerations();
  expect(await errorOf(federator.federate(rollback(7)))).toMatchObject({ code: 'GENERATION_UNREADABLE' });
  await federator.bucket.put(generationKey(1), Buffer.from('{'));
  expect(await errorOf(federator.federate(rollback(1)))).toMatchObject({ code: 'GENERATION_UNREADABLE' });
});

describe('a damaged newest generation', () => {
  let federator: TestFederator;
  beforeEach(async () => {
    federator = await twoGenerations();
    await federator.bucket.put(generationKey(2), Buffer.from('{'));
    expect(await errorOf(federator.federate())).toMatchObject({ code: 'GENERATION_UNREADABLE' });
  });

  test('is replaced by a rollback', async () => {
    await federator.federate(rollback(1));
    expect(await federator.newest()).toMatchObject({
      generation: 3,
      parent: { generation: 1 },
      replaces: { generation: 2 },
      hold: { generation: 1 },
    });
    expect((await federator.newest()).replaces).not.toHaveProperty('run');
    await federator.federate({ resume: true });
    expect((await federator.newest()).generation).toBe(4);
  });

  test('is replaced by a federation from an earlier one, even if nothing changed since', async () => {
    const { commit } = await federator.federate({ from: 1 });
    expect(commit).toMatchObject({ status: 'committed', generation: 3, onHold: false });
    expect(await federator.newest()).toMatchObject({
      parent: { generation: 1 },
      replaces: { generation: 2 },
    });
  });
});

test('a commit that overtakes the rollback makes it plan again, and so does its target being cleaned up', async () => {
  const federator = await twoGenerations();
  const { run } = await federator.prepare(rollback(1));
  await federator.bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  await new TestFederator(federator.bucket, threads, { id: 'cluster-5' }).federate();
  expect(await federator.commit(run)).toMatchObject({ status: 'replan' });
  const { run: second } = await federator.prepare(rollback(1));
  await federator.bucket.delete(generationKey(1));
  expect(await federator.commit(second)).toMatchObject({ status: 'replan' });
});

test('a rollback over a hold, and what the hold keeps: both survive the clean-up', async () => {
  const federator = await twoGenerations();
  await federator.federate(rollback(1));
  await federator.federate(rollback(2));
  const newest = await federator.newest();
  expect(newest).toMatchObject({
    parent: { generation: 2 },
    replaces: { generation: 3 },
    hold: { generation: 2 },
  });
  const day = 24 * 3_600_000;
  const later = overriding(federator.bucket, {
    put: async (key, body, options) => {
      const written = await federator.bucket.put(key, body, options);
      return { ...written, modified: new Date(written.modified.getTime() + 40 * day) };
    },
  });
  await new TestFederator(later, threads, { generations: 1 }).cleanUp();
  const kept = Object.keys(await snapshot(federator.bucket, 'federated/combined/generations/'));
  expect(kept).toEqual([2, 3, 4].map(generationKey));
});
