import { execFile } from 'node:child_process';
import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { applyEdits, type Edit } from './edits';

const root = path.join(__dirname, '..');

/** What is copied of a checkout: what the build reads. */
const copied = [
  'activities',
  'api',
  'concurrency',
  'config',
  'errors',
  'etl',
  'federation',
  'local-etl',
  'operator',
  'query',
  'scripts',
  'storage',
  'test/servers/build-program.ts',
  'web',
  'workers',
  'workflows',
  'package.json',
  'tsconfig.json',
];

/**
 * Copies the sources of this checkout into the folder `to`, applies the edits to the copy, and builds the program from
 * it. Returns the path of the script to run with Node. The checkout itself stays as it is.
 */
export async function buildEdited(to: string, edits: readonly Edit[]): Promise<string> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  for (const name of copied) await cp(path.join(root, name), path.join(to, name), { recursive: true });
  await symlink(path.join(root, 'node_modules'), path.join(to, 'node_modules'));
  await applyEdits(to, edits);
  const built = path.join(to, 'built');
  const build = [
    '--require',
    require.resolve('tsx/cjs'),
    path.join(to, 'test/servers/build-program.ts'),
    built,
  ];
  await promisify(execFile)(process.execPath, build, { cwd: to });
  return path.join(built, 'scripts/federated-etl.cjs');
}
