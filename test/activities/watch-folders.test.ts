import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { clusterEtlKey } from '../../federation/layout';
import { readQuarantine } from '../../operator/quarantine';
import type { Bucket } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { smallBucket, TestFederator, testMergeThreads } from './federated-bucket';

const threads = testMergeThreads();
const newestDay = 'allocations/1d/1794787200-1794873600' as WindowId;
const key = clusterEtlKey(clusterId('cluster-1'), newestDay);

test('odd files and two writers of one folder are noticed, and their files are merged all the same', async () => {
  const bucket = smallBucket();
  const federator = new TestFederator(bucket, threads);
  const { bytes } = await readAll(bucket, key);
  const put = (path: string) => bucket.put(clusterEtlKey(clusterId('cluster-2'), path), bytes);
  await put('allocations/1d/1794787200-1794790800');
  await put('allocations/monthly/1794787200-1794873600');

  await pushedBy('agent-a', bucket, bytes);
  await federator.federate();
  await pushedBy('agent-b', bucket, bytes);
  await federator.federate();
  expect(await noticed(bucket)).toEqual(['cluster-2 WINDOW_LENGTH_WRONG 2']);

  await pushedBy('agent-a', bucket, bytes);
  await federator.federate();
  expect(await noticed(bucket)).toEqual([
    'cluster-1 FOLDER_TWO_WRITERS 1',
    'cluster-2 WINDOW_LENGTH_WRONG 2',
  ]);
  const { sources } = await readQuarantine(bucket);
  expect(sources).toEqual([]);
});

async function pushedBy(instance: string, bucket: Bucket, bytes: Uint8Array): Promise<void> {
  await bucket.put(key, bytes, { metadata: { instance } });
}

async function noticed(bucket: Bucket): Promise<string[]> {
  const { notices } = await readQuarantine(bucket);
  return notices.map(({ cluster, code, count }) => `${cluster} ${code} ${count}`);
}
