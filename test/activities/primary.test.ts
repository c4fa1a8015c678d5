import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createAddOwnName } from '../../activities/add-own-name';
import { createEnterPrimary } from '../../activities/enter-primary';
import { createLeavePrimary, type LeaveDependencies } from '../../activities/leave-primary';
import { createPrimaryStatus } from '../../activities/primary-status';
import { backupPrefix, clusterEtlKey } from '../../federation/layout';
import { backUp, listBackups } from '../../local-etl/backup';
import { addOwnNames } from '../../local-etl/own-names';
import { restoreBackup } from '../../local-etl/restore';
import { localEtl, localPath } from '../../local-etl/store';
import {
  assets1,
  built,
  ClusterOnDisk,
  type Combined,
  combined,
  day1,
  day2,
  filesBelow,
  rebuilt,
  rewritten,
} from '../local-etl/cluster-on-disk';

let disk: ClusterOnDisk;
let all: Record<string, Combined>;
const windows = [day1, day2, assets1];
/** A window for which only another cluster has a file. */
const theirs = 'allocations/1d/1794787200-1794873600';

beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  all = { [theirs]: { bytes: await built(day2, 'cluster-1'), from: ['cluster-1'] } };
  for (const window of windows) {
    await disk.build(window, await built(window));
    all[window] = await combined(window);
  }
});
afterEach(() => disk[Symbol.asyncDispose]());

async function becomePrimary(): Promise<Record<string, string>> {
  const own = await disk.localFiles();
  await disk.push();
  await disk.commit(1, all);
  expect(await disk.pull()).toMatchObject({ state: 'pulled', replaced: 4 });
  return own;
}

function leave(changes: Partial<LeaveDependencies> = {}) {
  return createLeavePrimary({ ...disk.pullDependencies(), ...changes })();
}

function takeBackup() {
  const { signal } = new AbortController();
  const { store, bucket: place, cluster, budget } = disk;
  return backUp({ store, place, cluster, budget, now: () => disk.now, signal });
}

const status = () => createPrimaryStatus(disk)();

describe('leaving', () => {
  it("restores the cluster's own local ETL, and lasts", async () => {
    // Only this cluster contributes to the combined window, but the combined file differs from the cluster's own file.
    all[day2] = { bytes: rewritten(day2, await built(day2)), from: ['cluster-5'] };
    const own = await becomePrimary();
    expect(await leave()).toMatchObject({
      fromFolder: 3,
      fromBackup: 0,
      own: 0,
      removed: { count: 1, examples: [{ path: theirs }] },
    });
    expect(await disk.localFiles()).toEqual(own);
    expect(await disk.pull()).toMatchObject({ state: 'left' });
    expect(await disk.localFiles()).toEqual(own);
    expect(await disk.push()).toMatchObject({ uploaded: 0, unchanged: 3, refused: { count: 0 } });
    expect(await leave()).toMatchObject({ own: 3, removed: { count: 0 } });
  });

  it('uses the backup if the folder has no complete file', async () => {
    const own = await becomePrimary();
    await disk.bucket.delete(clusterEtlKey(disk.cluster, day1));
    await disk.bucket.put(clusterEtlKey(disk.cluster, day2), (await built(day2)).subarray(0, 900));
    expect(await leave()).toMatchObject({ fromFolder: 1, fromBackup: 2, removed: { count: 1 } });
    expect(await disk.localFiles()).toEqual(own);
  });

  it('works from the backup alone for a cluster that was never federated', async () => {
    const own = await disk.localFiles();
    await disk.commit(1, all);
    await disk.pull({ federated: false });
    expect(await leave()).toMatchObject({ fromFolder: 0, fromBackup: 3 });
    expect(await disk.localFiles()).toEqual(own);
  });

  it('restores overwritten files, keeps rebuilt ones, and drops rewritten ones', async () => {
    await becomePrimary();
    const build = rebuilt(day1, await built(day1), 1);
    await disk.build(day1, build);
    await rm(localPath(disk.store, day2));
    await disk.build(assets1, rewritten(assets1, all[assets1]?.bytes ?? Buffer.alloc(0)));
    expect(await leave()).toMatchObject({ fromFolder: 2, own: 1 });
    expect(await disk.local(day1)).toEqual(build);
    expect(await disk.local(day2)).toEqual(await built(day2));
    expect(await disk.local(assets1)).toEqual(await built(assets1));
  });

  it('stops a running pull', async () => {
    const own = await disk.localFiles();
    await disk.push();
    await disk.commit(1, all);
    let left: Promise<unknown> | undefined;
    const heartbeat = () => void (left ??= leave());
    await disk.pull({ heartbeat });
    await left;
    await leave();
    expect(await disk.localFiles()).toEqual(own);
  });

  it('resumes where it stopped when the bucket was unavailable', async () => {
    const own = await becomePrimary();
    await expect(leave({ signal: () => AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow();
    expect(await disk.pull()).toMatchObject({ state: 'left' });
    expect(await leave()).toMatchObject({ fromFolder: 3 });
    expect(await disk.localFiles()).toEqual(own);
  });

  it('only empties the pull folder if that is separate from the cluster’s own build', async () => {
    const own = await disk.localFiles();
    await disk.push();
    await disk.commit(1, all);
    const pullStore = localEtl(join(disk.folder, 'combined'));
    await disk.pull({ pullStore });
    expect(await leave({ pullStore })).toMatchObject({ fromFolder: 0, removed: { count: 4 } });
    expect(await filesBelow(pullStore.bingen)).toEqual({});
    expect(await disk.localFiles()).toEqual(own);
  });
});

it('enters again after leaving, with a new backup', async () => {
  await becomePrimary();
  await leave();
  const build = rebuilt(day1, await built(day1), 1);
  await disk.build(day1, build);
  disk.now = new Date('2026-11-21T00:00:00Z');
  expect(await createEnterPrimary({ ...disk, now: () => new Date() })()).toEqual({ entered: true });
  expect(await createEnterPrimary({ ...disk, now: () => new Date() })()).toEqual({ entered: false });
  expect(await disk.pull()).toMatchObject({
    state: 'pulled',
    backup: '2026-11-21T00-00-00-000Z',
    pushedFirst: 1,
  });
  expect((await listBackups(disk.bucket, disk.cluster)).map(({ files }) => files)).toEqual([3, 3]);
  await leave();
  expect(await disk.local(day1)).toEqual(build);
});

it('pulls without its own windows only if an operator allows it', async () => {
  await disk.push();
  await disk.commit(1, { [theirs]: { bytes: await built(day2, 'cluster-1'), from: ['cluster-1'] } });
  expect(await disk.pull()).toMatchObject({ state: 'waiting' });
  const enter = createEnterPrimary({ ...disk, now: () => disk.now });
  expect(await enter()).toEqual({ entered: false });
  expect(await disk.pull()).toMatchObject({ state: 'waiting' });
  expect(await enter({ withoutWaiting: true })).toEqual({ entered: true });
  expect(await disk.pull()).toMatchObject({ state: 'pulled' });
});

it('records a name that an operator adds as its own', async () => {
  await createAddOwnName(disk)({ name: 'old-name' });
  expect((await status()).ownNames).toEqual(expect.arrayContaining([disk.cluster, 'old-name']));
});

it('has a status at every stage', async () => {
  expect(await status()).toMatchObject({ state: 'entered', ownNames: ['cluster-5'] });
  const { [day2]: _, ...rest } = all;
  await disk.commit(1, rest);
  await disk.pull();
  expect(await status()).toMatchObject({ state: 'waiting', waitingFor: expect.any(String) });
  await disk.push();
  await disk.commit(2, all);
  await disk.pull();
  await disk.build(day1, await built(day1, 'cluster-1'));
  await disk.push();
  expect(await status()).toMatchObject({
    state: 'pulling',
    lastPull: { generation: 2 },
    refused: {
      count: 1,
      examples: [{ path: day1, why: expect.stringMatching('other clusters: cluster-1') }],
    },
  });
  await addOwnNames(disk.store, ['cluster-1']);
  expect(await disk.push()).toMatchObject({ uploaded: 1, refused: { count: 0 } });
  await leave();
  expect(await status()).toMatchObject({ state: 'left', ownNames: ['cluster-5', 'cluster-1'] });
});

describe('restoring a backup', () => {
  const restore = (name: string) =>
    restoreBackup({ store: disk.store, place: disk.bucket, cluster: disk.cluster, name });

  it('puts the local ETL back as it was', async () => {
    const own = await becomePrimary();
    const [backup] = await listBackups(disk.bucket, disk.cluster);
    expect(backup).toMatchObject({ name: '2026-11-20T00-00-00-000Z', files: 3 });
    await expect(restore(backup?.name ?? '')).rejects.toMatchObject({ code: 'PRIMARY_ACTIVE' });
    await disk.bucket.delete(clusterEtlKey(disk.cluster, day1));
    await leave();
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    await disk.build(theirs, all[theirs]?.bytes ?? Buffer.alloc(0));
    expect(await restore(backup?.name ?? '')).toEqual({ restored: 1, unchanged: 2, removed: 1, salvaged: 1 });
    expect(await disk.localFiles()).toEqual(own);
  });

  it('leaves a file alone if its saved bytes have changed', async () => {
    const { name } = await takeBackup();
    const build = rebuilt(day1, await built(day1), 1);
    await disk.build(day1, build);
    await disk.bucket.put(`${backupPrefix(disk.cluster, name)}bingen/${day1}`, Buffer.from('others'));
    await expect(restore(name)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    expect(await disk.local(day1)).toEqual(build);
  });

  it('accepts only finished backups', async () => {
    const { name } = await takeBackup();
    await disk.bucket.delete(`${backupPrefix(disk.cluster, name)}manifest.json`);
    expect(await listBackups(disk.bucket, disk.cluster)).toEqual([]);
    await expect(restore(name)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await expect(restore('../..')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
  });
});
