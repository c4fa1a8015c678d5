import { parseWindowId } from '../../etl/window';
import { combinedEtlPrefix } from '../../federation/layout';
import {
  federatedBucket,
  firstDay,
  goldenWindows,
  secondDay,
  snapshot,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

test('windows older than the retention are removed from Combined Storage, but stay in Federated Storage', async () => {
  const bucket = federatedBucket();
  await new TestFederator(bucket, threads).federate();
  const before = await snapshot(bucket, 'federated/cluster-1/');

  const federator = new TestFederator(bucket, threads, {
    scope: { exclude: [], retention: { '1d': 2 * 86_400, '1h': 3_600 } },
  });
  const end = parseWindowId(firstDay)?.window.end ?? 0;
  Object.assign(federator.deps, { now: () => new Date((end + 2 * 86_400) * 1_000) });
  const { commit } = await federator.federate();
  // In each of the two pipelines, one daily and four hourly windows have expired: ten windows in total.
  expect(commit).toMatchObject({
    status: 'committed',
    generation: 2,
    windows: goldenWindows - 10,
    removed: 10,
  });
  const { windows, membership } = await federator.newest();
  expect(Object.keys(windows)).toContain(secondDay);
  expect(Object.keys(windows)).not.toContain(firstDay);
  expect(membership.scope.retention).toEqual({ '1d': 172_800, '1h': 3_600 });
  const published = Object.keys(await snapshot(bucket, combinedEtlPrefix));
  expect(published).toHaveLength(goldenWindows - 10);
  expect(await snapshot(bucket, 'federated/cluster-1/')).toEqual(before);

  // The next run must not plan windows that have expired.
  expect((await federator.federate()).plan).toMatchObject({ outcome: 'nothing-changed' });

  // This federator has no retention limit, so its run would add the expired windows again. The run must fail instead.
  const other = new TestFederator(bucket, threads, { id: 'cluster-5' });
  await expect(other.federate()).rejects.toMatchObject({ code: 'FEDERATOR_CONFLICT' });
});
