import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../../scripts/set-up/lock.cjs';
import { loadTypescript } from './load-typescript';
import { type SharedServer, sharedServer } from './shared-servers';

/** Folder for built programs. It is inside node_modules, so that a built program finds the project's packages. */
const cache = path.join(__dirname, '../../node_modules/.cache/federated-etl');

/**
 * Returns the program as `npm run build` would build it. The program is built only once per test run. This saves
 * time: end-to-end tests start it about 60 times, and each start from the TypeScript sources takes about twice as long.
 *
 * @returns the path of the script to run with Node
 */
export async function builtProgram(): Promise<string> {
  return (await sharedServer<{ script: string }>('program')).script;
}

/** Builds the program for this test run. Also deletes builds that earlier runs left behind because they were killed. */
export async function buildForRun(): Promise<SharedServer> {
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    const [, pid] = /^program-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      await rm(path.join(cache, name), { recursive: true, force: true });
  }
  const folder = path.join(cache, `program-${process.pid}`);
  const build = [...loadTypescript, path.join(__dirname, 'build-program.ts'), folder];
  await promisify(execFile)(process.execPath, build);
  return {
    access: { script: path.join(folder, 'scripts/federated-etl.cjs') },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
