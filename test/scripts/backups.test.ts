import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backUp } from '../../local-etl/backup';
import { localPath } from '../../local-etl/store';
import { built, ClusterOnDisk, combined, day1, day2 } from '../local-etl/cluster-on-disk';
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

function writeSettings(localEtl: object): void {
  const { cluster: clusterId } = disk;
  const storage = { configFile: 'federated-store.yaml' };
  writeFileSync(settings, JSON.stringify({ clusterId, storage, localEtl: { path: 'etl', ...localEtl } }));
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
    });
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
  });
});
