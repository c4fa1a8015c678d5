import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programVersion } from '../../config/program-version';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { clusterEtlKey } from '../../federation/layout';
import { instanceOf, noteStart } from '../../local-etl/instance';
import { type LocalEtl, localEtl, localPath } from '../../local-etl/store';
import { findNewest } from '../../operator/newest-generation';
import { readQuarantine } from '../../operator/quarantine';
import type { Bucket } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { ClusterOnDisk, rewritten } from '../local-etl/cluster-on-disk';
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

test('a clone of a volume is noticed once it and the original have taken turns', async () => {
  const original = await ClusterOnDisk.make();
  await using held = new AsyncDisposableStack();
  held.use(original);
  const bucket = smallBucket();
  const federator = new TestFederator(bucket, threads);
  const found: string[] = [];
  const cluster = clusterId('cluster-1');
  const { bytes } = await readAll(bucket, key);
  const clone = localEtl(join(original.folder, 'clone'));
  /** Pushes a file that differs from the previous one, and then federates. */
  const push = async (store: LocalEtl, content: Uint8Array) => {
    await mkdir(join(localPath(store, newestDay), '..'), { recursive: true });
    await writeFile(localPath(store, newestDay), content);
    await original.push({ store, bucket, cluster });
    await federator.federate();
    found.push(...(await noticed(bucket)));
  };
  const other = rewritten(newestDay, Buffer.from(bytes));

  await noteStart(original.store);
  await push(original.store, other);
  await noteStart(original.store);
  await push(original.store, bytes);
  await cp(original.store.root, clone.root, { recursive: true });
  await noteStart(clone);
  await push(clone, other);
  expect(await instanceOf(clone)).toBe(await instanceOf(original.store));
  expect(found).toEqual([]);
  await push(original.store, bytes);
  expect(found).toEqual(['cluster-1 FOLDER_TWO_WRITERS 1']);
});

test('the generation says what pushes, and what does not push with this program', async () => {
  const disk = await ClusterOnDisk.make();
  await using held = new AsyncDisposableStack();
  held.use(disk);
  const bucket = smallBucket();
  const federator = new TestFederator(bucket, threads);
  const cluster = clusterId('cluster-1');
  const inventory = async () => (await findNewest(bucket)).generation?.writers[cluster]?.inventory;
  const { bytes } = await readAll(bucket, key);
  await federator.federate();
  expect(await inventory()).toEqual({ codecs: {} });
  await disk.build(newestDay, rewritten(newestDay, Buffer.from(bytes)));
  await disk.push({ bucket, cluster });
  await federator.federate();
  expect(await inventory()).toEqual({ program: programVersion(), codecs: { allocations: 25 } });
  expect((await findNewest(bucket)).generation?.program).toBe(programVersion());
});

async function pushedBy(instance: string, bucket: Bucket, bytes: Uint8Array): Promise<void> {
  await bucket.put(key, bytes, { metadata: { instance } });
}

async function noticed(bucket: Bucket): Promise<string[]> {
  const { notices } = await readQuarantine(bucket);
  return notices.map(({ cluster, code, count }) => `${cluster} ${code} ${count}`);
}
