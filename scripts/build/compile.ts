import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** The top-level folders that belong to the program. Of `web/`, only the module that serves the page is built. */
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

/**
 * Modules that are not built, because they need a checkout: the example, its set-up, and the builds of image and chart.
 */
const notBuilt = ['scripts/build/', 'scripts/chart/', 'scripts/demo/', 'scripts/demo.ts', 'scripts/set-up/'];

/**
 * Compiles the program's modules to JavaScript, one output file per module, with the compiler that `tsx` uses. That way
 * modules load in the same order and from the same relative paths as in a checkout.
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
    // Without source maps, stack traces still name module and function; only their line numbers refer to the
    // JavaScript.
    sourcemap: false,
    logLevel: 'warning',
  });
}
