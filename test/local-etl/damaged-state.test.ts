import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, silentLog } from '../../config/log';
import { clusterEtlKey } from '../../federation/layout';
import { pushCache } from '../../local-etl/file-cache';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { assets1, built, ClusterOnDisk, combined, day1, day2, later, sha256 } from './cluster-on-disk';

let disk: ClusterOnDisk;
let warnings: Record<string, unknown>[];
let log: Log;

beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  for (const window of [day1, assets1]) await disk.build(window, await built(window));
  await disk.push();
  await disk.commit(1, { [day1]: await combined(day1), [assets1]: await combined(assets1) });
  await disk.pull();
  warnings = [];
  log = { ...silentLog, warn: (fields: object) => void warnings.push(fields as Record<string, unknown>) };
});
afterEach(() => disk[Symbol.asyncDispose]());

const damages = { empty: '', cut: '{"format":1,"na', zeros: '\0\0\0\0', 'of another shape': '[]' };

describe.each(Object.entries(damages))('a file that is %s', (_, damage) => {
  it('costs neither pushes nor pulls, whichever state file it is: its copy replaces it', async () => {
    const names = (await readdir(disk.store.state)).filter((name) => /^[a-z-]+\.json$/.test(name));
    expect(names).toEqual(
      expect.arrayContaining(['instance.json', 'own-names.json', 'primary.json', 'pulled.json', pushCache]),
    );
    const before = new Map<string, string>();
    for (const name of names) {
      before.set(name, await readFile(join(disk.store.state, name), 'utf8'));
      await writeFile(join(disk.store.state, name), damage);
    }
    await disk.build(day2, await built(day2), later);
    expect(await disk.push({ log })).toMatchObject({ files: 3, uploaded: 1, pulled: 2 });
    expect(await disk.pull({ log })).toMatchObject({ state: 'up-to-date', unchanged: 2 });
    const mended = ['instance.json', 'own-names.json', 'primary.json', 'pulled.json'];
    for (const name of mended.filter((one) => one !== 'own-names.json' && one !== 'primary.json'))
      expect(await readFile(join(disk.store.state, name), 'utf8')).toBe(before.get(name));
    expect(warnings.map(({ event, file }) => `${String(event)} ${String(file)}`).sort()).toEqual(
      mended.map((name) => `state.mended ${join(disk.store.state, name)}`),
    );
  });

  it('with the metadata of an object costs only that object', async () => {
    await rm(join(disk.store.state, pushCache));
    const messages: string[] = [];
    const bucket = openFilesystem(
      { directory: join(disk.folder, 'bucket') },
      { warn: (message) => void messages.push(message) },
    );
    const folder = join(disk.folder, 'bucket', clusterEtlKey(disk.cluster, day1), '..');
    const [metadata = ''] = (await readdir(folder)).filter((name) => name.startsWith('.meta-'));
    await writeFile(join(folder, metadata), damage);
    for (const window of [day1, assets1]) await disk.build(window, await built(window));
    expect(await disk.push({ bucket })).toMatchObject({ uploaded: 1, unchanged: 1 });
    expect(messages).toEqual([expect.stringContaining('is damaged')]);
    const head = await bucket.head(clusterEtlKey(disk.cluster, day1));
    expect(head?.metadata.sha256).toBe(sha256(await built(day1)));
    await bucket.close();
  });
});

it.each(['instance', 'own-names', 'primary', 'pulled'])(
  'names a state file that cannot be restored on a primary: %s',
  async (file) => {
    for (const name of [`${file}.json`, `${file}.copy.json`])
      await writeFile(join(disk.store.state, name), '{');
    await disk.build(day2, await built(day2), later);
    await expect(disk.push()).rejects.toMatchObject({
      code: 'LOCAL_STATE_UNREADABLE',
      subject: { key: join(disk.store.state, `${file}.json`) },
    });
  },
);

it('finds the names of a cluster that has never pulled again, in all of its files', async () => {
  await using fresh = await ClusterOnDisk.make();
  for (const window of [day1, assets1]) await fresh.build(window, await built(window));
  await fresh.push();
  const path = join(fresh.store.state, 'own-names.json');
  const names = await readFile(path, 'utf8');
  for (const name of ['own-names.json', 'own-names.copy.json'])
    await writeFile(join(fresh.store.state, name), '{');
  expect(await fresh.push({ log })).toMatchObject({ files: 2, unchanged: 2 });
  expect(await readFile(path, 'utf8')).toBe(names);
  expect(warnings).toEqual([expect.objectContaining({ event: 'state.rebuilt' })]);
  expect(await fresh.push({ log })).toMatchObject({ files: 2, unchanged: 2 });
  expect(warnings).toHaveLength(1);
});
