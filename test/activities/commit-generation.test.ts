import { readFullListing } from '../../activities/full-listing';
import { readHead } from '../../activities/plan-objects';
import { createWriteReport } from '../../activities/write-report';
import type { Log } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import {
  fullListingKey,
  generationKey,
  generationsPrefix,
  objectKey,
  runRequestKey,
} from '../../federation/layout';
import type { FullListing } from '../../federation/listing';
import type { FederationReport } from '../../federation/run';
import { noCalls } from '../../federation/store-calls';
import { readAll } from '../../storage/read-all';
import {
  firstDay,
  goldenSource,
  overriding,
  smallBucket,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, error: nothing };

const unavailable = () => new FederationError('STORAGE_UNAVAILABLE', { detail: 'No answer came.' });

test('of two concurrent commits one wins, and the other plans again and finds nothing to do', async () => {
  const bucket = smallBucket();
  const a = new TestFederator(bucket, threads, { id: 'a' });
  const b = new TestFederator(bucket, threads, { id: 'b' });
  const [planA, planB] = [await a.prepare(), await b.prepare()];
  const results = await Promise.all([a.commit(planA.run), b.commit(planB.run)]);
  expect(results.map((result) => result.status).sort()).toEqual(['committed', 'replan']);
  expect(Object.keys(await snapshot(bucket, generationsPrefix))).toEqual([generationKey(1)]);
  const loser = results[0].status === 'replan' ? a : b;
  expect((await loser.federate()).commit).toMatchObject({ status: 'unchanged', generation: 1 });
});

test('committing twice has the effect of committing once', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { run } = await federator.prepare();
  const first = await federator.commit(run);
  expect(first).toMatchObject({ status: 'committed', generation: 1 });
  expect(await federator.commit(run)).toEqual(first);
  // Committing the run again returns the same outcome, even if another run has committed in the meantime.
  await federator.bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  await federator.federate();
  expect(await federator.commit(run)).toEqual(first);
});

describe('a create that returns an error', () => {
  test('but succeeded, is a commit', async () => {
    const bucket = smallBucket();
    const lying = overriding(bucket, {
      create: async (key, body, options) => {
        const info = await bucket.create(key, body, options);
        if (key === generationKey(1)) throw unavailable();
        return info;
      },
    });
    expect((await new TestFederator(lying, threads).federate()).commit).toMatchObject({
      status: 'committed',
      generation: 1,
    });
  });

  test('and lost to another run, is not a commit', async () => {
    const bucket = smallBucket();
    const other = new TestFederator(bucket, threads, { id: 'other' });
    await other.federate();
    await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
    const { run } = await other.prepare();
    const late = overriding(bucket, {
      create: async (key, body, options) => {
        if (key !== generationKey(2)) return bucket.create(key, body, options);
        await other.commit(run);
        throw unavailable();
      },
    });
    expect((await new TestFederator(late, threads).federate()).commit).toMatchObject({ status: 'replan' });
    expect((await other.newest()).run).toBe(run);
  });

  test('and did not succeed, throws, so that it is retried', async () => {
    const bucket = smallBucket();
    const failing = overriding(bucket, {
      create: async (key, body, options) => {
        if (key === generationKey(1)) throw unavailable();
        return bucket.create(key, body, options);
      },
    });
    const { run } = await new TestFederator(failing, threads).prepare();
    await expect(new TestFederator(failing, threads).commit(run)).rejects.toThrow('No answer came.');
    expect(await new TestFederator(bucket, threads).commit(run)).toMatchObject({ status: 'committed' });
  });
});

test('a number that was freed while this process slept is planned again, not committed', async () => {
  const bucket = smallBucket();
  const sleeper = new TestFederator(bucket, threads, { id: 'sleeper' });
  const { run } = await sleeper.prepare();
  const other = new TestFederator(bucket, threads, { id: 'other' });
  const late = overriding(bucket, {
    create: async (key, body, options) => {
      if (key !== generationKey(1)) return bucket.create(key, body, options);
      await other.federate();
      await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
      await other.federate();
      await bucket.delete(generationKey(1));
      return bucket.create(key, body, options);
    },
  });
  expect(await new TestFederator(late, threads, { id: 'sleeper' }).commit(run)).toMatchObject({
    status: 'replan',
  });
});

test('an exclusion after planning makes the run plan again', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { run } = await federator.prepare();
  federator.exclusions = { 'cluster-1': { reason: '', at: '2026-11-20T00:00:00Z' } };
  expect(await federator.commit(run)).toMatchObject({ status: 'replan' });
  const again = await federator.prepare({}, run, 2);
  expect(again.plan.excluded.ids).toEqual(['cluster-1']);
  expect(await federator.commit(run, 2)).toMatchObject({
    status: 'committed',
    clusters: 4,
    exclusions: ['cluster-1'],
  });
});

test('nothing is committed when a merged object is missing', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { run, outcomes } = await federator.prepare();
  await federator.bucket.delete(objectKey(outcomes[0]?.fingerprint ?? ''));
  await expect(federator.commit(run)).rejects.toMatchObject({ code: 'PLAN_UNREADABLE' });
  expect(await snapshot(federator.bucket, generationsPrefix)).toEqual({});
});

describe('a full listing', () => {
  const fullListing: FullListing = { at: '2026-11-20T00:00:00.000Z', clusters: {} };
  /** Runs a federation until just before its commit, and then adds `fullListing` to the run's plan. */
  const prepare = async (federator: TestFederator) => {
    const prepared = await federator.prepare();
    const head = await readHead(federator.bucket, prepared.run, 1);
    await replaceDocument(federator.bucket, documents.planHead.at(prepared.run, 1), { ...head, fullListing });
    return prepared;
  };
  const remembered = (federator: TestFederator) => readFullListing(federator.bucket, {});

  test('is recorded once its run commits or finds all of it committed, however often that happens', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { run } = await prepare(federator);
    await federator.bucket.delete(fullListingKey);
    for (const _ of [1, 2]) {
      expect(await federator.commit(run)).toMatchObject({ status: 'committed' });
      expect(await remembered(federator)).toEqual({ format: 1, generation: 1, ...fullListing });
      await federator.bucket.delete(fullListingKey);
    }
    const again = await prepare(federator);
    expect(await federator.commit(again.run)).toMatchObject({ status: 'unchanged' });
    expect(await remembered(federator)).toEqual({ format: 1, generation: 1, ...fullListing });
  });

  test('is not recorded by a run that fails or plans again', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const failed = await prepare(federator);
    await federator.bucket.delete(objectKey(failed.outcomes[0]?.fingerprint ?? ''));
    await expect(federator.commit(failed.run)).rejects.toMatchObject({ code: 'PLAN_UNREADABLE' });
    const overtaken = await prepare(federator);
    federator.exclusions = { 'cluster-1': { reason: '', at: '2026-11-20T00:00:00Z' } };
    expect(await federator.commit(overtaken.run)).toMatchObject({ status: 'replan' });
    expect(await remembered(federator)).toBeUndefined();
  });

  test('that cannot be recorded does not prevent the commit', async () => {
    const bucket = smallBucket();
    const failing = overriding(bucket, {
      put: async (key, body, options) => {
        if (key === fullListingKey) throw unavailable();
        return bucket.put(key, body, options);
      },
    });
    const federator = new TestFederator(failing, threads);
    const events: object[] = [];
    Object.assign(federator.deps, {
      log: { ...silent, warn: (event: object) => void events.push(event), child: () => federator.deps.log },
    });
    const { run } = await prepare(federator);
    expect(await federator.commit(run)).toMatchObject({ status: 'committed', generation: 1 });
    expect(events).toEqual([{ event: 'federation.listing-forgotten', run, generation: 1 }]);
  });
});

describe('two federators', () => {
  test('with the same membership stand by for one another', async () => {
    const bucket = smallBucket();
    await new TestFederator(bucket, threads, { id: 'a' }).federate();
    const b = new TestFederator(bucket, threads, { id: 'b' });
    const warnings: string[] = [];
    const warn = (_: object, line: string) => void warnings.push(line);
    const log = { ...silent, warn, child: () => log } as unknown as Log;
    Object.assign(b.deps, { log });
    expect((await b.federate()).commit).toMatchObject({ status: 'unchanged', generation: 1 });
    expect(warnings).toEqual([expect.stringContaining('the federator of a committed generation 1')]);
  });

  test('with one roster replace each other, also after an exclusion', async () => {
    const bucket = smallBucket();
    await new TestFederator(bucket, threads, { id: 'a' }).federate();
    const b = new TestFederator(bucket, threads, { id: 'b' });
    b.exclusions = { 'cluster-1': { reason: '', at: '2026-11-20T00:00:00Z' } };
    expect((await b.federate()).commit).toMatchObject({ status: 'committed', clusters: 4 });
    expect((await b.newest()).membership).toMatchObject({ federator: 'b', roster: 'roster-1' });
  });

  test('with different rosters fail if the exclusions differ, and say so', async () => {
    const bucket = smallBucket();
    await new TestFederator(bucket, threads, { id: 'a' }).federate();
    const b = new TestFederator(bucket, threads, { id: 'b' });
    b.roster = 'roster-2';
    expect((await b.federate()).commit).toMatchObject({ status: 'unchanged' });
    b.exclusions = { 'cluster-1': { reason: '', at: '2026-11-20T00:00:00Z' } };
    await expect(b.federate()).rejects.toMatchObject({
      code: 'FEDERATOR_CONFLICT',
      detail:
        'Generation 1 was committed by the federator of a. It has its exclusions from another roster than the ' +
        'federator of b, and they differ.',
    });
    b.follows = { generation: 1, roster: 'roster-1' };
    expect((await b.federate()).commit).toMatchObject({ status: 'committed', clusters: 4 });
  });

  test('plan again if their roster was started again since the plan was made', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { run } = await federator.prepare();
    federator.roster = 'roster-2';
    expect(await federator.commit(run)).toMatchObject({ status: 'replan' });
  });

  test('with different settings fail loudly until one takes over', async () => {
    const bucket = smallBucket();
    await new TestFederator(bucket, threads, { id: 'a' }).federate();
    const b = new TestFederator(bucket, threads, { id: 'b', scope: { exclude: ['cluster-1'] } });
    await expect(b.federate()).rejects.toMatchObject({
      code: 'FEDERATOR_CONFLICT',
      detail: expect.stringMatching(/federator of a\. Its settings are not those of the federator of b/),
    });
    expect((await b.newest()).generation).toBe(1);
    expect((await b.federate({ takeOver: true })).commit).toMatchObject({ status: 'committed', clusters: 4 });
    // Federator `a` must fail from now on, because `b` has taken over.
    await expect(new TestFederator(bucket, threads, { id: 'a' }).federate()).rejects.toMatchObject({
      code: 'FEDERATOR_CONFLICT',
    });
  });
});

test('a run’s request stays as first written, and its report comes last', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { run } = await federator.prepare({ why: 'first' });
  await federator.prepare({ why: 'second' }, run, 2);
  const request = await readAll(federator.bucket, runRequestKey(run));
  expect(JSON.parse(request.bytes.toString())).toMatchObject({ trigger: 'person', why: 'first' });
  const report: FederationReport = {
    format: 1,
    run,
    workflowRunId: 'w',
    outcome: 'failed',
    startedAt: '2026-11-20T00:00:00Z',
    endedAt: '2026-11-20T00:01:00Z',
    clusters: 0,
    excluded: [],
    windows: { all: 0, planned: 0, merged: 0, reused: 0, removed: 0 },
    quarantined: 0,
    shrunk: 0,
    unfinished: [],
    calls: noCalls(),
    error: { code: 'STORAGE_UNAVAILABLE', message: 'No answer came.' },
  };
  await expect(createWriteReport(federator.deps)(report)).resolves.toBeUndefined();
});
