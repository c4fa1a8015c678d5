import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../../scripts/set-up/lock.cjs';
import { type SharedServer, sharedServer } from './shared-servers';

/** Folder for built programs. It is inside node_modules, so that a built program can load the project's packages. */
const cache = path.join(__dirname, '../../node_modules/.cache/federated-etl');

/**
 * Returns the program as `npm run build` would build it. It is built once per test run, because end-to-end tests start
 * it some 60 times, and tsx takes about twice as long to start it.
 *
 * @returns the script to run with Node
 */
export async function builtProgram(): Promise<string> {
  return (await sharedServer<{ script: string }>('program')).script;
}

/**
 * Builds the program for this test run. Removes the builds of earlier runs that were killed before they could do so.
 */
export async function buildForRun(): Promise<SharedServer> {
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    const [, pid] = /^program-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      await rm(path.join(cache, name), { recursive: true, force: true });
  }
  const folder = path.join(cache, `program-${process.pid}`);
  const build = ['--require', require.resolve('tsx/cjs'), path.join(__dirname, 'build-program.ts'), folder];
  await promisify(execFile)(process.execPath, build);
  return {
    access: { script: path.join(folder, 'scripts/federated-etl.cjs') },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
