import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/**
 * Top-level folders with the modules of the program. `web/` is not listed: the program needs only its module
 * `bundle.ts`, which `compile` adds.
 */
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
 * Modules that are not compiled, because they only work in a checkout: the demo, its set-up, and the scripts that build
 * the image and the chart.
 */
const notBuilt = ['scripts/build/', 'scripts/chart/', 'scripts/demo/', 'scripts/demo.ts', 'scripts/set-up/'];

/**
 * Compiles the program's modules to JavaScript with esbuild, which `tsx` uses too. Writes one output file per module,
 * so that modules load in the same order and from the same relative paths as in a checkout.
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
    // Do not write source maps. Without them, stack traces still name the module and the function, but their line
    // numbers refer to the compiled JavaScript.
    sourcemap: false,
    logLevel: 'warning',
  });
}
