import { build } from 'esbuild';
import { compilerOptions, sourcesOf } from '../set-up/compiler.cjs';

/**
 * Modules that are not compiled, because they only work in a checkout: the demo, its set-up, and the scripts that build
 * the image and the chart.
 */
const notBuilt = [
  'scripts/build/',
  'scripts/chart/',
  'scripts/demo/',
  'scripts/demo.ts',
  'scripts/set-up/',
  'scripts/verbs/demo.ts',
];

/**
 * Compiles the program's modules to JavaScript as a checkout does when it starts. Writes one output file per module, so
 * that modules load in the same order and from the same relative paths as in a checkout.
 */
export async function compile(root: string, to: string): Promise<void> {
  await build({
    ...compilerOptions,
    absWorkingDir: root,
    entryPoints: [...sourcesOf(root), 'web/bundle.ts'].filter(
      (file) => !notBuilt.some((start) => file.startsWith(start)),
    ),
    outdir: to,
    outbase: root,
    // Do not write source maps. Without them, stack traces still name the module and the function, but their line
    // numbers refer to the compiled JavaScript.
    sourcemap: false,
    logLevel: 'warning',
  });
}
