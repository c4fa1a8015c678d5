import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, silentLog } from '../../config/log';
import { localPath } from '../../local-etl/store';
import {
  assets1,
  built,
  ClusterOnDisk,
  combined,
  counted,
  day1,
  day2,
  filesBelow,
  later,
  rewritten,
} from './cluster-on-disk';

const nobody = 65_534;
let disk: ClusterOnDisk;
let warnings: Record<string, unknown>[];
let log: Log;

beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  for (const window of [day1, day2, assets1]) await disk.build(window, await built(window));
  warnings = [];
  log = { ...silentLog, warn: (fields: object) => void warnings.push(fields as Record<string, unknown>) };
});
afterEach(async () => {
  if (process.getuid?.() === 0) process.seteuid?.(0);
  await disk[Symbol.asyncDispose]();
});

/**
 * Makes folders unreadable for this process. If the process runs as root, which may read everything, it first changes
 * to another user.
 */
async function lock(...folders: string[]): Promise<void> {
  for (const folder of folders) await mkdir(join(disk.store.root, folder), { recursive: true });
  await disk.push(); // Creates the state and the bucket's folders.
  if (process.getuid?.() === 0) {
    execFileSync('chown', ['-R', String(nobody), disk.folder]);
    for (const folder of folders) execFileSync('chown', ['-R', '0', join(disk.store.root, folder)]);
  }
  for (const folder of folders) await chmod(join(disk.store.root, folder), 0o700);
  if (process.getuid?.() === 0) process.seteuid?.(nobody);
  else for (const folder of folders) await chmod(join(disk.store.root, folder), 0o000);
}

describe('a folder that cannot be read', () => {
  const places = [
    'lost+found',
    'bingen/lost+found',
    'bingen/cloudcosts',
    'bingen/allocations/lost+found',
    'bingen/allocations/1d/lost+found',
    'bingen/assets',
  ];

  it('is passed over wherever it is, and named; the rest is pushed', async () => {
    await lock(...places);
    await disk.build(day2, rewritten(day2, await built(day2)), later);
    const named = places.slice(1).map((place) => place.slice('bingen/'.length));
    const summary = await disk.push({ log });
    expect(summary).toMatchObject({
      files: 2,
      uploaded: 1,
      unchanged: 1,
      unreadable: { count: named.length },
    });
    expect(summary.unreadable.examples.map(({ path }) => path).sort()).toEqual([...named].sort());
    expect(summary.unreadable.examples[0]?.why).toMatch(
      /^This process lacks the permission \(EACCES, as user \d+\)/,
    );
    expect(warnings).toMatchObject([{ event: 'push.passed-over', unreadable: named.length, links: 0 }]);
    // The caches must keep their entries for the files in the unreadable folders.
    if (process.getuid?.() === 0) process.seteuid?.(0);
    await chmod(join(disk.store.bingen, 'assets'), 0o755);
    const { bucket, calls } = counted(disk.bucket);
    expect(await disk.push({ bucket })).toMatchObject({ files: 3, unchanged: 3 });
    expect(calls).toEqual({ list: 1 });
  });

  it('postpones its windows; the rest is pulled', async () => {
    await disk.commit(1, { [day1]: await combined(day1), [assets1]: await combined(assets1) });
    await lock('bingen/assets');
    expect(await disk.pull({ federated: false })).toMatchObject({
      replaced: 1,
      unreadable: { count: 1, examples: [{ path: 'assets' }] },
      postponed: { count: 1, examples: [{ path: assets1, why: expect.stringContaining('EACCES') }] },
    });
  });

  it('or written postpones its windows; the rest is pulled', async () => {
    const windows = { [day1]: await combined(day1), [assets1]: await combined(assets1) };
    await disk.commit(1, { ...windows, [day2]: await combined(day2) });
    await disk.push();
    await disk.pull();
    await disk.commit(2, { [day1]: { ...(await combined(day1)), bytes: await built(day1) } });
    await lock('bingen/assets');
    if (process.getuid?.() === 0) process.seteuid?.(0);
    await chmod(join(disk.store.bingen, 'assets'), 0o755);
    if (process.getuid?.() === 0) process.seteuid?.(nobody);
    // The new generation lacks two windows. The file of one can be removed. The file of the other is in a folder that
    // is not writable.
    expect(await disk.pull({ log })).toMatchObject({
      replaced: 1,
      removed: 1,
      postponed: { count: 1, examples: [{ path: assets1, why: expect.stringContaining('EACCES') }] },
    });
    expect(await disk.local(day1)).toEqual(await built(day1));
    await disk.commit(3, {
      ...windows,
      [assets1]: { ...(await combined(assets1)), bytes: await built(assets1) },
    });
    expect(await disk.pull({ log })).toMatchObject({
      replaced: 1,
      postponed: { count: 1, examples: [{ path: assets1, why: expect.stringContaining('EACCES') }] },
    });
  });
});

it('passes over a file that cannot be read: it is neither pushed nor replaced, and the rest is', async () => {
  await disk.commit(1, { [day1]: await combined(day1), [assets1]: await combined(assets1) });
  await disk.push();
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', String(nobody), disk.folder]);
  await chmod(localPath(disk.store, day1), 0o000);
  await disk.build(day2, rewritten(day2, await built(day2)), later);
  if (process.getuid?.() === 0) process.seteuid?.(nobody);
  const why = expect.stringContaining('EACCES') as string;
  const named = { count: 1, examples: [{ path: day1, why }] };
  await utimes(localPath(disk.store, day1), later, later);
  expect(await disk.push({ log })).toMatchObject({
    uploaded: 1,
    unreadable: named,
    incomplete: { count: 0 },
  });
  const pulled = await disk.pull({ log, federated: false });
  expect(pulled).toMatchObject({ replaced: 1, backup: expect.any(String), postponed: { count: 1 } });
  expect(pulled.postponed.examples[0]?.why).toContain('EACCES');
});

describe('a link', () => {
  /** Moves a folder or file out of the store, and puts a link to it in its place. */
  async function moveBehindLink(...parts: string[]): Promise<string> {
    const [from, to] = [join(disk.store.root, ...parts), join(disk.folder, 'elsewhere')];
    await rename(from, to);
    await symlink(to, from);
    return to;
  }

  const elsewhereFiles = () => filesBelow(join(disk.folder, 'elsewhere'));

  const levels = ['assets', 'assets/1d', assets1];

  it.each(levels)('is followed neither to push nor to pull, and named: %s', async (level) => {
    await disk.commit(1, {
      [day1]: await combined(day1),
      [day2]: { ...(await combined(day2)), bytes: await built(day2) },
      [assets1]: await combined(assets1),
    });
    await disk.push();
    const elsewhere = await moveBehindLink('bingen', level);
    const stray = join(elsewhere, '.tmp-1-a');
    if (level !== assets1) {
      await writeFile(stray, 'of somebody else');
      await utimes(stray, 0, 0);
    }
    const before = await elsewhereFiles();
    const links = { count: 1, examples: [{ path: level, why: 'It is a link, and links are not followed.' }] };
    expect(await disk.push({ log })).toMatchObject({ files: 2, links, unreadable: { count: 0 } });
    expect(warnings).toMatchObject([{ event: 'push.passed-over', unreadable: 0, links: 1 }]);
    const why = `${level === assets1 ? '' : `${level}: `}It is a link, and links are not followed.`;
    expect(await disk.pull({ log })).toMatchObject({
      replaced: 1,
      links,
      postponed: { count: 1, examples: [{ path: assets1, why }] },
    });
    expect(warnings).toContainEqual(
      expect.objectContaining({ event: 'primary.backup-passed-over', unreadable: 0, links: 1 }),
    );
    expect(warnings.at(-1)).toMatchObject({ event: 'primary.postponed', windows: 1 });
    expect(await elsewhereFiles()).toEqual(before);
  });

  it.each(['bingen', '.federated-etl'])(
    'in the place of %s stops pushes and pulls, and is named',
    async (name) => {
      await disk.commit(1, { [day1]: await combined(day1) });
      await disk.push();
      const elsewhere = await moveBehindLink(name);
      const before = await elsewhereFiles();
      const refused = {
        code: 'LOCAL_ETL_REFUSED',
        subject: { key: join(disk.store.root, name) },
        detail: expect.stringContaining('is a link'),
      };
      const instance = 'the instance of the volume';
      await expect(disk.push(name === 'bingen' ? {} : { instance })).rejects.toMatchObject(refused);
      await expect(disk.pull()).rejects.toMatchObject(refused);
      expect(await elsewhereFiles()).toEqual(before);
      expect(elsewhere).toBeDefined();
    },
  );
});
