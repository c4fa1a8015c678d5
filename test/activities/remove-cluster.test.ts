import type { Log } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { requireDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { generationKey } from '../../federation/layout';
import { contributors } from '../../federation/provenance';
import type { FederationRequest } from '../../federation/run';
import { type ClusterFiles, deleteClusterFiles, listClusterFiles } from '../../operator/cluster-files';
import { verifyNewest } from '../../operator/verify';
import type { Bucket } from '../../storage/bucket';
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
const cluster = clusterId('cluster-3');

const request = (kind: 'remove' | 'restore'): Partial<FederationRequest> => ({
  by: 'kim@host',
  why: 'sold',
  change: { kind, cluster },
});

async function contributorsOf(federator: TestFederator, window: string): Promise<string[]> {
  const { windows } = await federator.newest();
  const document = documents.provenance.at(windows[window]?.fingerprint ?? '');
  return contributors(await requireDocument(federator.bucket, document));
}

test('a removed cluster leaves every window in one generation, and is ignored from then on', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  const { commit } = await federator.federate(request('remove'));
  expect(commit).toMatchObject({ status: 'committed', generation: 2, clusters: 4, windows: 3 });
  const removed = await federator.newest();
  expect(removed.membership).toMatchObject({
    clusters: ['cluster-1', 'cluster-2', 'cluster-4', 'cluster-5'],
    excluded: {},
    removed: { 'cluster-3': { by: 'kim@host', reason: 'sold', lastGeneration: 1 } },
  });
  for (const window of Object.keys(removed.windows))
    expect(await contributorsOf(federator, window)).not.toContain(cluster);

  // The removed cluster pushes again. Nothing that it pushes is merged, and the log says so.
  await federator.bucket.put(sourceKey(cluster, firstDay), goldenSource('cluster-1', firstDay));
  const warnings: unknown[] = [];
  const silent = () => undefined;
  const log = { debug: silent, info: silent, error: silent, child: () => log } as unknown as Log;
  Object.assign(log, {
    warn: (fields: { event: string }, line: string) => warnings.push([fields.event, line]),
  });
  Object.assign(federator.deps, { log, now: () => new Date('2026-11-16T00:00:00Z') });
  expect((await federator.federate()).plan.outcome).toBe('nothing-changed');
  expect(warnings).toEqual([
    [
      'federation.removed',
      'Federator ignores cluster-3: removed by kim@host at 2026-11-20T00:00:00.000Z: sold, still pushing',
    ],
  ]);

  // A generation that is committed later still contains the removal.
  await federator.bucket.delete(sourceKey('cluster-1', firstDay));
  await federator.federate();
  const later = await federator.newest();
  expect(later.generation).toBe(3);
  expect(later.membership.removed).toEqual(removed.membership.removed);
});

test('a restored cluster has its history again, even of windows that its folder has lost', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  const before = await federator.newest();
  await federator.federate(request('remove'));
  await federator.bucket.delete(sourceKey(cluster, firstDay));
  const { commit } = await federator.federate(request('restore'));
  expect(commit).toMatchObject({ status: 'committed', generation: 3, clusters: 5, quarantined: 1 });
  const after = await federator.newest();
  expect(after.membership.removed).toEqual({});
  expect(await contributorsOf(federator, firstDay)).toContain(cluster);
  for (const [window, { fingerprint }] of Object.entries(before.windows))
    if (window !== firstDay) expect(after.windows[window]?.fingerprint).toBe(fingerprint);
});

test('a cluster that is restored after its last generation is gone has what its folder holds', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  await federator.federate(request('remove'));
  await federator.bucket.delete(sourceKey(cluster, firstDay));
  await federator.bucket.delete(generationKey(1));
  const { commit } = await federator.federate(request('restore'));
  expect(commit).toMatchObject({ status: 'committed', clusters: 5, quarantined: 0 });
  expect(await contributorsOf(federator, firstDay)).not.toContain(cluster);
});

test('the last cluster cannot be removed', async () => {
  const federator = new TestFederator(smallBucket(), threads, { scope: { include: [cluster], exclude: [] } });
  await federator.federate();
  const { plan, commit } = await federator.federate(request('remove'));
  expect(plan.outcome).toBe('all-excluded');
  expect(commit).toBeUndefined();
});

describe('deleting the files of a removed cluster', () => {
  const run = (bucket: Bucket, files: ClusterFiles) =>
    deleteClusterFiles(bucket, files, { stop: new AbortController().signal, progress: () => undefined });

  /**
   * Removes the cluster and starts to delete its files. The store deletes the first file, but refuses to delete the
   * second.
   */
  async function cut(): Promise<TestFederator> {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    await federator.federate();
    const files = await listClusterFiles(bucket, cluster);
    await expect(run(bucket, files)).rejects.toMatchObject({ code: 'REMOVAL_NOT_COMMITTED' });
    await federator.federate(request('remove'));
    let deletes = 0;
    const refusing = overriding(bucket, {
      delete: async (key, options) => {
        if (++deletes > 1) throw new FederationError('STORAGE_ACCESS_DENIED', { detail: 'Access denied.' });
        await bucket.delete(key, options);
      },
    });
    await expect(run(refusing, files)).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
      detail: 'Access denied. 1 of 3 files were deleted before; the same command deletes the rest.',
    });
    return federator;
  }

  test('can be cut anywhere: the combined set stays right, and the same command goes on', async () => {
    const federator = await cut();
    const { bucket } = federator;
    const removed = await federator.newest();
    expect((await federator.federate()).plan.outcome).toBe('nothing-changed');
    const rest = await listClusterFiles(bucket, cluster);
    expect(rest.keys).toHaveLength(2);
    expect(await run(bucket, rest)).toEqual({ deleted: 2, left: 0 });
    expect((await federator.federate()).plan.outcome).toBe('nothing-changed');
    expect(await federator.newest()).toEqual(removed);
    expect(await verifyNewest(bucket, { deep: true, progress: () => undefined })).toMatchObject({
      remerged: 3,
      findings: [],
    });
  });

  test('stops once the cluster is restored, whose history then is whole', async () => {
    const federator = await cut();
    const { commit } = await federator.federate(request('restore'));
    expect(commit).toMatchObject({ status: 'committed', clusters: 5, quarantined: 1 });
    for (const window of Object.keys((await federator.newest()).windows))
      expect(await contributorsOf(federator, window)).toContain(cluster);
    const rest = await listClusterFiles(federator.bucket, cluster);
    await expect(run(federator.bucket, rest)).rejects.toMatchObject({ code: 'REMOVAL_NOT_COMMITTED' });
    expect(await listClusterFiles(federator.bucket, cluster)).toEqual(rest);
  });
});
