import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPipeline } from '../../etl/window';
import { combinedEtlKey, combinedPrefix, runsPrefix } from '../../federation/layout';
import { readAll } from '../../storage/read-all';
import { sameMeaning } from '../etl/same-meaning';
import {
  federatedBucket,
  firstDay,
  golden,
  goldenSource,
  goldenWindows,
  renamedSource,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

const expectedSet = (window: string) =>
  readFileSync(join(golden, 'expected', combinedEtlKey(window as typeof firstDay)));

describe('five clusters', () => {
  test('are merged exactly as OpenCost merges them, in objects and in published files', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    const { plan, commit } = await federator.federate();
    expect(plan).toMatchObject({
      outcome: 'work',
      base: 0,
      planned: goldenWindows,
      carried: 0,
      shards: 1,
    });
    expect(plan.clusters).toEqual({
      count: 5,
      ids: ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'],
    });
    expect(commit).toMatchObject({
      status: 'committed',
      generation: 1,
      windows: goldenWindows,
      clusters: 5,
      quarantined: 0,
    });
    const { windows } = await federator.newest();
    for (const window of Object.keys(windows)) {
      const pipeline = window.split('/')[0] ?? '';
      if (!isPipeline(pipeline)) throw new Error(window);
      const published = await readAll(federator.bucket, combinedEtlKey(window as typeof firstDay));
      expect(sameMeaning(pipeline, published.bytes, expectedSet(window))).toEqual([]);
      expect(published.bytes.equals(await federator.merged(window))).toBe(true);
    }
  });

  test('are left alone if nothing changed', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    const before = await snapshot(federator.bucket, combinedPrefix);
    const { plan, commit } = await federator.federate();
    expect(plan).toMatchObject({ outcome: 'nothing-changed', planned: 0, carried: goldenWindows });
    expect(commit).toMatchObject({ status: 'unchanged', generation: 1 });
    const after = await snapshot(federator.bucket, combinedPrefix);
    for (const key of Object.keys(after)) if (key.startsWith(runsPrefix)) delete after[key];
    for (const key of Object.keys(before)) if (key.startsWith(runsPrefix)) delete before[key];
    expect(after).toEqual(before);
  });

  test('with one changed window have only that window merged again', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    const before = await federator.newest();
    await federator.bucket.put(sourceKey('cluster-2', firstDay), goldenSource('cluster-2', firstDay));
    const { plan, outcomes, commit } = await federator.federate();
    expect(plan).toMatchObject({ planned: 1, carried: goldenWindows - 1 });
    expect(outcomes).toMatchObject([{ window: firstDay, clusters: 5, changed: 1, reused: false }]);
    expect(commit).toMatchObject({ status: 'committed', generation: 2, windows: goldenWindows });
    const after = await federator.newest();
    expect(after.windows[firstDay]?.fingerprint).not.toBe(before.windows[firstDay]?.fingerprint);
    // The new source has the same bytes as the old one, so the bytes of the merged file must not change.
    expect(after.windows[firstDay]?.digest).toBe(before.windows[firstDay]?.digest);
  });

  test('lose an excluded one from every window, and get it back with its history', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    const before = await federator.newest();
    federator.exclusions = { 'cluster-3': { reason: 'wrong prices', at: '2026-11-20T00:00:00Z' } };
    const out = await federator.federate();
    expect(out.plan).toMatchObject({ planned: goldenWindows, excluded: { count: 1, ids: ['cluster-3'] } });
    const without = await federator.newest();
    expect(without.membership).toMatchObject({
      clusters: ['cluster-1', 'cluster-2', 'cluster-4', 'cluster-5'],
      excluded: { 'cluster-3': { by: 'person', reason: 'wrong prices', lastGeneration: 1 } },
    });
    for (const [window, { fingerprint }] of Object.entries(without.windows)) {
      expect(fingerprint).not.toBe(before.windows[window]?.fingerprint);
    }
    // Delete a file of the excluded cluster. Once the cluster is included again, the merge must use its last
    // contribution before the exclusion, because the file is gone.
    await federator.bucket.delete(sourceKey('cluster-3', firstDay));
    federator.exclusions = {};
    const back = await federator.federate();
    expect(back.outcomes.filter((outcome) => !outcome.reused)).toMatchObject([
      { window: firstDay, clusters: 5, quarantined: 1 },
    ]);
    const again = await federator.newest();
    expect(again.quarantined).toMatchObject([
      { cluster: 'cluster-3', window: firstDay, seen: 'absent', code: 'SOURCE_VANISHED' },
    ]);
    for (const [window, { fingerprint }] of Object.entries(again.windows)) {
      if (window !== firstDay) expect(fingerprint).toBe(before.windows[window]?.fingerprint);
    }
    expect(sameMeaning('allocations', await federator.merged(firstDay), expectedSet(firstDay))).toEqual([]);
  });

  test('become six without any configuration, and only the sixth’s windows are merged', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    await federator.bucket.put(
      sourceKey('cluster-6', firstDay),
      renamedSource('cluster-1', firstDay, 'cluster-6'),
    );
    const { plan, commit } = await federator.federate();
    expect(plan).toMatchObject({ planned: 1, clusters: { count: 6 } });
    expect(commit).toMatchObject({ status: 'committed', clusters: 6 });
  });
});

describe('no input', () => {
  test('changes nothing on an empty bucket', async () => {
    const federator = new TestFederator(federatedBucket({ empty: true }), threads);
    const { plan, commit } = await federator.federate();
    expect(plan).toMatchObject({ outcome: 'no-input', planned: 0 });
    expect(commit).toBeUndefined();
  });

  test('changes nothing when every cluster is excluded', async () => {
    const bucket = federatedBucket();
    await new TestFederator(bucket, threads).federate();
    const federator = new TestFederator(bucket, threads, { scope: { include: ['nobody'], exclude: [] } });
    const { plan, commit } = await federator.federate();
    expect(plan).toMatchObject({ outcome: 'all-excluded', planned: 0, excluded: { count: 5 } });
    expect(commit).toBeUndefined();
    expect(Object.keys((await federator.newest()).windows)).toHaveLength(goldenWindows);
  });

  test('does not mistake foreign objects for clusters', async () => {
    const federator = new TestFederator(federatedBucket({ empty: true }), threads);
    await federator.bucket.put('federated/probe/hello.txt', Buffer.from('x'));
    await federator.bucket.put(
      'federated/cluster-9/etl/bingen/cloudcosts/1d/1794614400-1794700800',
      Buffer.from('x'),
    );
    expect((await federator.federate()).plan).toMatchObject({ outcome: 'no-input', clusters: { count: 0 } });
  });
});

describe('a request', () => {
  test('for some windows plans only those', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    for (const cluster of ['cluster-1', 'cluster-2']) {
      for (const window of [firstDay, 'assets/1d/1794787200-1794873600']) {
        await federator.bucket.put(sourceKey(cluster, window), goldenSource(cluster, window));
      }
    }
    const windows = { start: 1794614400, end: 1794700800 };
    const { outcomes } = await federator.federate({ windows });
    expect(outcomes.map((outcome) => outcome.window)).toEqual([firstDay]);
    const forced = await federator.federate({ windows, force: true });
    expect(forced.outcomes.map(({ window, reused }) => ({ window, reused }))).toEqual([
      { window: firstDay, reused: false },
      { window: 'assets/1d/1794614400-1794700800', reused: false },
    ]);
    expect(forced.commit).toMatchObject({ status: 'unchanged', generation: 2 });
  });

  test('to check everything finds that all of it is merged already', async () => {
    const federator = new TestFederator(federatedBucket(), threads);
    await federator.federate();
    const { outcomes, commit } = await federator.federate({ full: true });
    expect(outcomes).toHaveLength(goldenWindows);
    expect(outcomes.every((outcome) => outcome.reused)).toBe(true);
    expect(commit).toMatchObject({ status: 'unchanged' });
  });
});
