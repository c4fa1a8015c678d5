import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { sourcesOf } from '../../scripts/set-up/compiler.cjs';
import { scratchFolder } from './scratch';

const scratch = scratchFolder();
const project = path.join(__dirname, '../..');

/** Lays out a checkout with a program of two modules. Returns its folder. */
async function checkout(): Promise<string> {
  const root = scratch();
  for (const room of new Set(sourcesOf(project).map((file) => file.split('/')[0] ?? '')))
    await mkdir(path.join(root, room));
  for (const file of ['load-typescript.cjs', 'compiler.cjs'])
    await cp(path.join(project, 'scripts/set-up', file), path.join(root, 'scripts/set-up', file));
  await mkdir(path.join(root, 'node_modules'));
  for (const name of ['esbuild', '@esbuild'])
    await symlink(path.join(project, 'node_modules', name), path.join(root, 'node_modules', name));
  await write(root, 'etl/text.ts', "export const text: string = 'first';");
  await write(
    root,
    'scripts/main.ts',
    `interface Unused {
      readonly line: 1;
    }
    import { text } from '../etl/text';
    const compiles = Object.keys(require.cache).some((file) => /esbuild.lib/.test(file));
    const [, at] = new Error(text).stack?.split('\\n') ?? [];
    console.log(JSON.stringify({ text, compiles, at }));`,
  );
  return root;
}

async function write(root: string, file: string, text: string): Promise<void> {
  await writeFile(path.join(root, file), text);
  // An edit may leave the time as it was.
  await utimes(path.join(root, file), 1, 1);
}

interface Said {
  readonly text: string;
  readonly compiles: boolean;
  readonly at: string;
  readonly stderr: string;
}

async function start(root: string): Promise<Said> {
  const args = ['--require', './scripts/set-up/load-typescript.cjs', 'scripts/main.ts'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return { ...(JSON.parse(stdout) as Omit<Said, 'stderr'>), stderr };
}

const cacheOf = (root: string) => path.join(root, 'node_modules/.cache/federated-etl/compiled');

test('compiles each source once, and again when it has changed', async () => {
  const root = await checkout();
  expect(await start(root)).toMatchObject({ text: 'first', compiles: true });
  expect(await start(root)).toMatchObject({ text: 'first', compiles: false, stderr: '' });
  await write(root, 'etl/text.ts', "export const text: string = 'other';");
  expect(await start(root)).toMatchObject({ text: 'other', compiles: true });
  await write(root, 'etl/text.ts', "export const text: string = 'first';");
  expect(await start(root)).toMatchObject({ text: 'first', compiles: false });
});

test('a stack trace names the line of the source', async () => {
  const root = await checkout();
  expect((await start(root)).at).toContain('scripts/main.ts:6:');
  expect((await start(root)).at).toContain('scripts/main.ts:6:');
});

test('several first starts at once end well, and leave nothing half written', async () => {
  const root = await checkout();
  const all = await Promise.all([1, 2, 3].map(() => start(root)));
  expect(all.map(({ text }) => text)).toEqual(['first', 'first', 'first']);
  const files = (await readdir(cacheOf(root))).filter((name) => name !== 'v8');
  expect(files.filter((name) => !/^[0-9a-f]{64}\.js$/.test(name))).toEqual([]);
  expect(files).toHaveLength(2);
});

test('a source that does not compile stops only those that load it', async () => {
  const root = await checkout();
  await write(root, 'etl/broken.ts', 'const = 1;');
  expect(await start(root)).toMatchObject({ text: 'first' });
  await write(root, 'etl/text.ts', 'const = 1;');
  await expect(start(root)).rejects.toThrow('etl/text.ts:1:6: ERROR');
});

test('without a folder to keep the code in, each start compiles it, and says so once', async () => {
  const root = await checkout();
  await rm(path.join(root, 'node_modules/.cache'), { recursive: true, force: true });
  await writeFile(path.join(root, 'node_modules/.cache'), '');
  for (let started = 0; started < 2; started++) {
    const said = await start(root);
    expect(said).toMatchObject({ text: 'first', compiles: true });
    expect(said.stderr).toMatch(/^The program is compiled at each start, as .* cannot be written: .*\n$/);
  }
});
