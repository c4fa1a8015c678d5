import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFederationError } from '../../errors/federation-error';
import { instanceOf } from '../../local-etl/instance';
import { withLock } from '../../local-etl/lock';
import { salvage } from '../../local-etl/salvage';
import { writeState, writeStateQuickly } from '../../local-etl/state';
import { localEtl } from '../../local-etl/store';
import { createOnce, removeFile, writeAtomically } from '../../local-etl/write';
import { exportFolder } from '../../operator/export/target';
import { openDatabase } from '../../query/database';
import { QueryEngine } from '../../query/engine';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { makeFolder } from '../../storage/make-folder';
import { combinedEtl, wantedFrom } from '../query/engine-over';
import { describeWithMounts, ReadOnlyVolume } from '../servers/read-only-volume';
import { assets1, built, ClusterOnDisk, combined, day1 } from './cluster-on-disk';

const bytes = Buffer.from('x');

/** Waits for `work`, which must fail, and returns its error. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

describeWithMounts('a read-only volume', () => {
  let volume: ReadOnlyVolume;
  beforeEach(() => {
    volume = new ReadOnlyVolume();
  });
  afterEach(() => volume[Symbol.dispose]());

  const refused = { code: 'LOCAL_ETL_REFUSED', detail: expect.stringMatching(/read-only \(EROFS/) };

  it('is named by everything that writes to the local ETL, also where folders are missing', async () => {
    const store = localEtl(volume.folder);
    volume.lock();
    const deep = join(volume.folder, 'a', 'b', 'c');
    await expect(makeFolder(deep)).rejects.toMatchObject({ code: 'EROFS' });
    const attempts: Record<string, Promise<unknown>> = {
      instance: instanceOf(store),
      'a file': writeAtomically(deep, bytes),
      'a new file': createOnce(deep, bytes),
      state: writeState(store, 'state.json', {}),
      'a cache': writeStateQuickly(store, 'cache.json', {}),
      'a lock': withLock(store, 'name', async () => undefined),
      'a salvaged file': salvage(store, day1, bytes),
    };
    for (const [what, attempt] of Object.entries(attempts))
      expect({ what, error: await failureOf(attempt) }).toMatchObject({ what, error: refused });
  });

  it('is named where files are there already', async () => {
    const store = localEtl(volume.folder);
    const file = join(volume.folder, 'file');
    await instanceOf(store);
    await withLock(store, 'name', async () => undefined);
    await writeAtomically(file, bytes);
    volume.lock();
    expect(await failureOf(writeAtomically(file, bytes))).toMatchObject(refused);
    expect(await failureOf(writeStateQuickly(store, 'cache.json', {}))).toMatchObject(refused);
    expect(await failureOf(withLock(store, 'name', async () => undefined))).toMatchObject(refused);
    expect(await failureOf(removeFile(file))).toMatchObject(refused);
    expect(await instanceOf(store)).toEqual(expect.any(String));
  });

  it('is named as the place of a bucket, an export or a new database', async () => {
    await mkdir(join(volume.folder, 'there'));
    volume.lock();
    const bucket = openFilesystem({ directory: volume.folder });
    for (const key of ['key', 'there/key', 'not/there/key']) {
      const error = await failureOf(bucket.put(key, bytes));
      expect(isFederationError(error) && `${error.code} ${error.detail} ${error.hint}`).toMatch(
        /^STORAGE_ACCESS_DENIED .*mounted read-only \(EROFS\)\. Mount the volume writable/,
      );
    }
    await bucket.close();
    const readOnly = { detail: expect.stringMatching(/EROFS|[Rr]ead-only/) };
    expect(await failureOf(exportFolder(join(volume.folder, 'a', 'b')))).toMatchObject(readOnly);
    const database = { memoryLimit: '64MB', threads: 1, folder: join(volume.folder, 'a', 'b') };
    expect(await failureOf(openDatabase(database))).toMatchObject({
      code: 'QUERY_DATABASE_UNUSABLE',
      ...readOnly,
    });
  });

  it('stops pushes and pulls with that reason until it can be written again', async () => {
    await using disk = await ClusterOnDisk.make();
    const cluster = { store: localEtl(volume.folder) };
    Object.assign(disk, cluster);
    await disk.build(day1, await built(day1));
    await disk.push();
    await disk.commit(1, { [day1]: await combined(day1), [assets1]: await combined(assets1) });
    await disk.build(assets1, await built(assets1));
    volume.lock();
    expect(await failureOf(disk.push())).toMatchObject(refused);
    expect(await failureOf(disk.pull())).toMatchObject(refused);
    volume.unlock();
    expect(await disk.push()).toMatchObject({ uploaded: 1 });
    expect(await disk.pull()).toMatchObject({ replaced: 2 });
  });

  it('is no reason for a restarted primary not to answer; ingests go on once it can be written', async () => {
    const options = { folder: join(volume.folder, 'query'), memoryLimit: '64MB', threads: 1 };
    const wanted = await wantedFrom(combinedEtl);
    const first = await QueryEngine.open(options);
    await first.serve(wanted.slice(1), { generation: 1, ingestedAt: 'a' });
    first.close();
    volume.lock();
    const second = await QueryEngine.open(options);
    try {
      expect(second.isReadOnly).toBe(true);
      expect(second.state()).toMatchObject({ generation: 1, empty: false });
      expect(await failureOf(second.serve(wanted, { generation: 2, ingestedAt: 'b' }))).toMatchObject({
        code: 'QUERY_DATABASE_UNUSABLE',
        retryable: true,
        detail: expect.stringContaining('read-only'),
      });
      expect(second.state()).toMatchObject({ generation: 1, refused: { code: 'QUERY_DATABASE_UNUSABLE' } });
      volume.unlock();
      await second.serve(wanted, { generation: 2, ingestedAt: 'b' });
      expect(second.state()).toMatchObject({ generation: 2 });
      expect(second.isReadOnly).toBe(false);
    } finally {
      second.close();
    }
  });
});
