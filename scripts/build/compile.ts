import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** The rooms that the program is made of. Of `web/` it is only what serves the page. */
const rooms = [
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
  'workers',
  'workflows',
];

/** What needs a checkout: the example, what starts it, and what makes the image and the chart. */
const notBuilt = ['scripts/build/', 'scripts/chart/', 'scripts/demo/', 'scripts/demo.ts', 'scripts/set-up/'];

/**
 * Makes JavaScript of the program's modules, file by file and with the compiler of `tsx`: what is loaded when, and where
 * a module finds its neighbours, stays as it is in a checkout.
 */
export async function compile(root: string, to: string): Promise<void> {
  const files = ['web/bundle.ts'];
  for (const room of rooms) {
    for (const name of await readdir(path.join(root, room), { recursive: true })) {
      files.push(`${room}/${name.replaceAll(path.sep, '/')}`);
    }
  }
  await build({
    absWorkingDir: root,
    entryPoints: files.filter(
      (file) => file.endsWith('.ts') && !notBuilt.some((start) => file.startsWith(start)),
    ),
    outdir: to,
    outbase: root,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    // A stack trace names the module and the function; line numbers are of the JavaScript.
    sourcemap: false,
    logLevel: 'warning',
  });
}
