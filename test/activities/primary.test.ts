import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createAddOwnName } from '../../activities/add-own-name';
import { createEnterPrimary, type EnterPrimaryInput } from '../../activities/enter-primary';
import { createLeavePrimary, type LeaveDependencies } from '../../activities/leave-primary';
import { createPrimaryStatus } from '../../activities/primary-status';
import { backupPrefix, clusterEtlKey } from '../../federation/layout';
import { backUp, listBackups } from '../../local-etl/backup';
import { addOwnNames } from '../../local-etl/own-names';
import { restoreBackup, type RestoreDependencies } from '../../local-etl/restore';
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
  spied,
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
const enter = (how?: EnterPrimaryInput) => createEnterPrimary({ ...disk, now: () => disk.now })(how);

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

  it('leaves no combined file behind, wherever in a pull it comes', async () => {
    const own = await disk.localFiles();
    await disk.push();
    await disk.commit(1, all);
    let rounds = 0;
    for (; ; rounds++) {
      const at = 1 + rounds * 5;
      const leaving: Promise<unknown>[] = [];
      let calls = 0;
      const bucket = spied(disk.bucket, () => void (++calls === at && leaving.push(leave())));
      await disk.pull({ combined: bucket, own: bucket });
      if (leaving.length === 0) break;
      await Promise.all(leaving);
      expect({ at, files: await disk.localFiles() }).toEqual({ at, files: own });
      expect(await disk.pull()).toMatchObject({ state: 'left' });
      expect(await disk.localFiles()).toEqual(own);
      await enter();
    }
    expect(rounds).toBeGreaterThan(3);
  });

  it('dry, says what it would do, and writes nothing', async () => {
    await becomePrimary();
    await disk.bucket.delete(clusterEtlKey(disk.cluster, day1));
    const before = await filesBelow(disk.folder);
    const dry = await createLeavePrimary(disk.pullDependencies())({ dryRun: true });
    expect(await filesBelow(disk.folder)).toEqual(before);
    expect(dry).toMatchObject({
      fromFolder: 2,
      fromBackup: 1,
      restored: { count: 3, examples: expect.arrayContaining([{ path: day1, why: 'from a backup' }]) },
      removed: { count: 1, examples: [{ path: theirs }] },
    });
    expect(await disk.pull()).toMatchObject({ state: 'up-to-date' });
    const { fromFolder, fromBackup, own, restored, removed } = await leave();
    expect({ fromFolder, fromBackup, own, removed }).toEqual({ ...dry, restored: undefined });
    expect(restored.count).toBe(dry.restored.count);
  });

  it('keeps a file that the cluster builds meanwhile', async () => {
    await becomePrimary();
    const build = rebuilt(day1, await built(day1), 1);
    const own = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key === clusterEtlKey(disk.cluster, day1))
        writeFileSync(localPath(disk.store, day1), build);
    });
    expect(await leave({ own })).toMatchObject({ fromFolder: 2, own: 1 });
    expect(await disk.local(day1)).toEqual(build);
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
  expect(await enter()).toEqual({ entered: true });
  expect(await enter()).toEqual({ entered: false });
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
  const undone = { restored: 1, unchanged: 2, removed: 1, salvaged: 1, postponed: [] };
  const restore = (name: string, changes: Partial<RestoreDependencies> = {}) => {
    const { store, bucket: place, cluster } = disk;
    return restoreBackup({ store, place, cluster, name, isPrimary: false, ...changes });
  };

  it('puts the local ETL back as it was', async () => {
    const own = await becomePrimary();
    const [backup] = await listBackups(disk.bucket, disk.cluster);
    expect(backup).toMatchObject({ name: '2026-11-20T00-00-00-000Z', files: 3 });
    await expect(restore(backup?.name ?? '')).rejects.toMatchObject({ code: 'PRIMARY_ACTIVE' });
    await disk.bucket.delete(clusterEtlKey(disk.cluster, day1));
    await leave();
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    await disk.build(theirs, all[theirs]?.bytes ?? Buffer.alloc(0));
    expect(await restore(backup?.name ?? '')).toEqual(undone);
    expect(await disk.localFiles()).toEqual(own);
  });

  it('dry, says what it would do, and writes nothing', async () => {
    await becomePrimary();
    const [{ name } = { name: '' }] = await listBackups(disk.bucket, disk.cluster);
    await leave();
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    await disk.build(theirs, all[theirs]?.bytes ?? Buffer.alloc(0));
    const before = await filesBelow(disk.folder);
    const changes: string[] = [];
    const onChange = (path: string, change: string) => void changes.push(`${change} ${path}`);
    expect(await restore(name, { dryRun: true, onChange })).toEqual(undone);
    expect(changes).toEqual([`restore ${day1}`, `remove ${theirs}`]);
    expect(await filesBelow(disk.folder)).toEqual(before);
    expect(await restore(name)).toEqual(undone);
  });

  it('leaves a file alone that is written meanwhile, and says so', async () => {
    const { name } = await takeBackup();
    await disk.build(day1, rebuilt(day1, await built(day1), 1));
    const newer = rebuilt(day1, await built(day1), 2);
    const place = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key.endsWith(day1)) writeFileSync(localPath(disk.store, day1), newer);
    });
    expect(await restore(name, { place })).toMatchObject({
      restored: 0,
      unchanged: 2,
      postponed: [{ path: day1, why: 'It was written meanwhile.' }],
    });
    expect(await disk.local(day1)).toEqual(newer);
    expect(await restore(name)).toMatchObject({ restored: 1, salvaged: 1, postponed: [] });
  });

  it('is refused for a primary that has yet to pull', async () => {
    const { name } = await takeBackup();
    await expect(restore(name, { isPrimary: true })).rejects.toMatchObject({ code: 'PRIMARY_ACTIVE' });
    await leave();
    expect(await restore(name, { isPrimary: true })).toMatchObject({ unchanged: 3 });
  });

  it('does not let the cluster become a primary again before it has ended', async () => {
    const own = await becomePrimary();
    const [{ name } = { name: '' }] = await listBackups(disk.bucket, disk.cluster);
    await leave();
    await rm(localPath(disk.store, day1));
    let entering: Promise<unknown> | undefined;
    const place = spied(disk.bucket, (verb, key) => {
      if (verb === 'get' && key.endsWith(day1))
        entering = expect(enter()).rejects.toMatchObject({ code: 'RESTORE_RUNNING' });
    });
    await restore(name, { place });
    expect(entering).toBeDefined();
    await entering;
    expect(await disk.pull()).toMatchObject({ state: 'left' });
    expect(await disk.localFiles()).toEqual(own);
    expect(await enter()).toEqual({ entered: true });
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
