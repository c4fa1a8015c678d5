import path from 'node:path';
import type { WindowId } from '../../etl/window';
import { instanceOf } from '../../local-etl/instance';
import { withLock } from '../../local-etl/lock';
import { salvage } from '../../local-etl/salvage';
import { writeState, writeStateQuickly } from '../../local-etl/state';
import { localEtl } from '../../local-etl/store';
import { writeAtomically } from '../../local-etl/write';
import { QueryEngine } from '../../query/engine';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { combinedEtl, wantedFrom } from '../query/engine-over';
import { type Disk, mounted } from '../query/full-disk';
import { describeWithMounts } from '../servers/read-only-volume';
import { assets1, built, ClusterOnDisk, combined, day1, day2, filesBelow, sha256 } from './cluster-on-disk';

/** Waits for `work`, which must fail. Returns the code and the detail of its error. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    ({ code, detail }: { code?: string; detail?: string }) => `${code}: ${detail}`,
  );
}

const full = /^LOCAL_ETL_REFUSED: The volume has no space left \(ENOSPC/;

describeWithMounts('a full volume', () => {
  let disk: Disk;
  beforeEach(() => {
    disk = mounted();
  });
  afterEach(() => disk.dispose());

  it('is named by the first of everything that is written to the local ETL', async () => {
    const store = localEtl(disk.folder);
    const bytes = Buffer.alloc(100_000);
    disk.limit(4096);
    const attempts: Record<string, () => Promise<unknown>> = {
      instance: () => instanceOf(store),
      file: () => writeAtomically(path.join(store.bingen, day1), bytes),
      state: () => writeState(store, 'state.json', {}),
      cache: () => writeStateQuickly(store, 'cache.json', {}),
      lock: () => withLock(store, 'name', async () => undefined),
      salvaged: () => salvage(store, day1, bytes),
    };
    for (const [what, attempt] of Object.entries(attempts))
      expect({ what, error: await failureOf(attempt()) }).toEqual({
        what,
        error: expect.stringMatching(full),
      });
    disk.free();
    expect(await instanceOf(store)).toEqual(expect.any(String));
    await writeState(store, 'state.json', {});
    await withLock(store, 'name', async () => undefined);
  });

  it('fails the first pull after some of its windows; the next one continues once there is room', async () => {
    await using cluster = await ClusterOnDisk.make();
    const pullStore = localEtl(path.join(disk.folder, 'etl'));
    const windows = { [day1]: await combined(day1), [day2]: await combined(day2) };
    await cluster.commit(1, { ...windows, [assets1]: await combined(assets1) });
    const pull = () => cluster.pull({ federated: false, pullStore });
    disk.limit(160_000);
    expect(await failureOf(pull())).toMatch(full);
    expect(await failureOf(pull())).toMatch(full);
    const brought = Object.entries(await filesBelow(pullStore.bingen));
    expect(brought.length).toBeLessThan(3);
    for (const [window, digest] of brought) {
      const { bytes } = await combined(window as WindowId);
      expect(sha256(bytes)).toBe(digest);
    }
    disk.free();
    expect(await pull()).toMatchObject({ replaced: 3 - brought.length, unchanged: brought.length });
  });

  it('fails the first backup, and nothing is overwritten', async () => {
    await using cluster = await ClusterOnDisk.make();
    const bytes = await built(day1);
    await cluster.build(day1, bytes);
    await cluster.commit(1, { [day1]: await combined(day1) });
    const pull = () => cluster.pull({ federated: false, backupPath: disk.folder });
    disk.limit(12_288);
    expect(await failureOf(pull())).toMatch(/^BACKUP_FAILED: .*ENOSPC/);
    expect(await cluster.local(day1)).toEqual(bytes);
    disk.free();
    expect(await pull()).toMatchObject({ replaced: 1, backup: expect.any(String) });
  });

  it('fails the first push to a folder, and leaves no half file', async () => {
    await using cluster = await ClusterOnDisk.make();
    await cluster.build(day1, await built(day1));
    const bucket = openFilesystem({ directory: disk.folder });
    disk.limit(12_288);
    expect(await failureOf(cluster.push({ bucket }))).toMatch(/^STORAGE_QUOTA_EXCEEDED: .*ENOSPC/);
    expect(await filesBelow(disk.folder)).toEqual({});
    disk.free();
    expect(await cluster.push({ bucket })).toMatchObject({ uploaded: 1 });
    await bucket.close();
  });

  it('fails the first ingest, which succeeds once there is room', async () => {
    const engine = await QueryEngine.open({ folder: disk.folder, memoryLimit: '64MB', threads: 1 });
    const serve = async () => engine.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
    try {
      disk.limit(1);
      expect(await failureOf(serve())).toBe('QUERY_NO_ROOM: The volume of query.path is full.');
      expect(engine.state()).toMatchObject({ empty: true, refused: { code: 'QUERY_NO_ROOM' } });
      disk.free();
      await serve();
      expect(engine.state()).toMatchObject({ generation: 1, empty: false });
    } finally {
      engine.close();
    }
  });
});
