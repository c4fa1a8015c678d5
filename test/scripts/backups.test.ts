import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLeavePrimary } from '../../activities/leave-primary';
import { backupManifestKey, backupsPrefix, probeKey } from '../../federation/layout';
import { backUp } from '../../local-etl/backup';
import { localPath } from '../../local-etl/store';
import { built, ClusterOnDisk, combined, day1, day2, filesBelow } from '../local-etl/cluster-on-disk';
import { clearSettings } from '../servers/clear-environment';
import { runMain } from './run-main';

let disk: ClusterOnDisk;
let settings: string;
clearSettings();
beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  for (const window of [day1, day2]) await disk.build(window, await built(window));
  settings = join(disk.folder, 'cluster-5.yaml');
  const bucket = { type: 'FILESYSTEM', config: { directory: join(disk.folder, 'bucket') } };
  writeFileSync(join(disk.folder, 'federated-store.yaml'), JSON.stringify(bucket));
  writeSettings({});
});
afterEach(() => disk[Symbol.asyncDispose]());

function writeSettings(localEtl: object, federatedETL: object = {}): void {
  const { cluster: clusterId } = disk;
  const storage = { configFile: 'federated-store.yaml' };
  const values = { clusterId, storage, localEtl: { path: 'etl', ...localEtl }, federatedETL };
  writeFileSync(settings, JSON.stringify(values));
}

const run = (...argv: string[]) => runMain(...argv, '--config', settings);

/** Makes a backup of the local ETL, which consists of two window files. */
function takeBackup() {
  const { store, bucket: place, cluster, budget, now } = disk;
  return backUp({ store, place, cluster, budget, now: () => now, signal: new AbortController().signal });
}

describe('backups', () => {
  it('lists the backups of this cluster', async () => {
    const { name, bytes } = await takeBackup();
    const { status, out } = await run('backups');
    expect(status).toBe(0);
    expect(out).toMatch(/^1 backup of cluster-5 in file:.*\/bucket/);
    expect(out).toMatch(new RegExp(`^${name}  2026-11-20 00:00:00Z  2 +\\d`, 'm'));
    expect(JSON.parse((await run('backups', '--json')).out)).toMatchObject({
      cluster: 'cluster-5',
      backups: [{ name, at: '2026-11-20T00:00:00.000Z', files: 2, bytes }],
    });
  });

  it('reports where it found none', async () => {
    expect((await run('backups')).out).toMatch(/^No backup of cluster-5 is in file:.*\/bucket/);
    await takeBackup();
    mkdirSync(join(disk.folder, 'backups'));
    writeSettings({ backupPath: 'backups' });
    expect((await run('backups')).out).toMatch(/^No backup of cluster-5 is in file:.*\/backups/);
  });

  it('names one that is being made, or was interrupted', async () => {
    const { name } = await takeBackup();
    await disk.bucket.delete(backupManifestKey(disk.cluster, name));
    await disk.bucket.put(probeKey(backupsPrefix(disk.cluster), '1'), Buffer.from('a test of doctor'));
    const { status, out, err } = await run('backups');
    expect(status).toBe(0);
    expect(out).toMatch(/^No other backup of cluster-5 is in/);
    expect(err).toMatch(new RegExp(`^${name} is not finished: .*\n$`));
    const { out: found } = await run('backups', '--json');
    expect(JSON.parse(found)).toMatchObject({ backups: [], unfinished: [name] });
  });

  it('fails if the bucket does not exist', async () => {
    rmSync(join(disk.folder, 'bucket'), { recursive: true });
    const { status, out, err } = await run('backups');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^STORAGE_BUCKET_NOT_FOUND: /);
  });
});

describe('restore', () => {
  it('restores the backup, and counts the files', async () => {
    const { name } = await takeBackup();
    const before = await disk.localFiles();
    writeFileSync(localPath(disk.store, day1), 'rebuilt');
    const { status, out } = await run('restore', name);
    expect(status).toBe(0);
    expect(out).toContain(`Restored 1 file of ${name} to ${disk.store.root}; 1`);
    expect(out).toMatch(/^Salvaged 1 newer file in .*salvaged\.$/m);
    expect(await disk.localFiles()).toEqual(before);
    expect(JSON.parse((await run('restore', name, '--json')).out)).toEqual({
      cluster: 'cluster-5',
      backup: name,
      restored: 0,
      unchanged: 2,
      removed: 0,
      salvaged: 0,
      postponed: [],
    });
  });

  it('dry, lists what it would change', async () => {
    const { name } = await takeBackup();
    writeFileSync(localPath(disk.store, day1), 'rebuilt');
    const before = await filesBelow(disk.folder);
    expect(await run('restore', name, '--dry-run')).toMatchObject({
      status: 0,
      out: `would restore ${day1}\n1 file to restore, 1 of them to salvage first, 0 to remove, 1 unchanged. Nothing was changed.\n`,
    });
    expect(JSON.parse((await run('restore', name, '--dry-run', '--json')).out)).toMatchObject({
      restored: 1,
      changes: [{ path: day1, change: 'restore' }],
    });
    expect(await filesBelow(disk.folder)).toEqual(before);
  });

  it('fails if it cannot restore a file', async () => {
    const { name } = await takeBackup();
    rmSync(localPath(disk.store, day1));
    symlinkSync('elsewhere', localPath(disk.store, day1));
    const { status, out } = await run('restore', name);
    expect(status).toBe(1);
    expect(out).toContain(`Not restored: ${day1}: It is a link, and links are not followed.\n`);
  });

  it('refuses an unknown name', async () => {
    const { status, out, err } = await run('restore', '2026-11-20T00-00-00-000Z');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^BACKUP_NOT_FOUND: /);
    expect(err).toContain('`federated-etl backups` lists them.');
  });

  it('refuses while the cluster pulls, which would overwrite it', async () => {
    await disk.push();
    await disk.commit(1, { [day1]: await combined(day1), [day2]: await combined(day2) });
    const { backup } = await disk.pull();
    expect(backup).toBeDefined();
    const before = await disk.localFiles();
    const { status, err } = await run('restore', backup ?? '');
    expect(status).toBe(1);
    expect(err).toMatch(
      /^PRIMARY_ACTIVE: .*\(cluster cluster-5\)\n {2}Run `federated-etl primary leave` first/,
    );
    expect(await disk.localFiles()).toEqual(before);

    await createLeavePrimary(disk.pullDependencies())();
    writeSettings({}, { federatedCluster: true, primaryCluster: true });
    const restored = await run('restore', backup ?? '');
    expect(restored.status).toBe(0);
    expect(restored.out).toMatch(
      /\nNo pull overwrites the restored files until `federated-etl primary enter`; .*\nThe next push uploads/,
    );
  });
});
