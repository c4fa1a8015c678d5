/**
 * Production dependencies, or parts of them, that the image does not need. The build fails if an entry no longer matches
 * anything, so that a new version of a package is reviewed.
 */

/**
 * Dependencies, by package, that never run: the SDK's bundler and its compilers, as the build bundles the workflow code,
 * and types. Packages that only they need are omitted too.
 */
export const leftOutDependencies: Readonly<Record<string, readonly string[]>> = {
  '@temporalio/worker': ['@swc/core', 'memfs', 'source-map-loader', 'swc-loader', 'unionfs', 'webpack'],
  'apache-arrow': ['@types/node'],
  protobufjs: ['@types/node'],
};

/** Folders and files, by package, that only serve to build that package. */
export const leftOutFiles: Readonly<Record<string, readonly string[]>> = {
  '@temporalio/core-bridge': [
    'Cargo.lock',
    'Cargo.toml',
    'bridge-macros',
    'scripts',
    'sdk-core',
    'src',
    'ts',
  ],
};

/** Types, sources and source maps: a third of the bytes, and Node loads none of them. */
export const leftOutEndings: readonly string[] = ['.ts', '.mts', '.cts', '.map'];

/**
 * Lines that load an omitted package at the start, and their replacements. Only bundling uses those packages, which the
 * built program never does.
 */
export const changedLines: readonly { readonly file: string; readonly from: string; readonly to: string }[] =
  [
    ['bundler.js', 'const unionfs = ', '__importStar(require("unionfs"));'],
    ['bundler.js', 'const memfs = ', '__importStar(require("memfs"));'],
    ['bundler.js', 'const webpack_1 = ', 'require("webpack");'],
    ['bundler/patch-module-cache.js', 'const webpack_1 = ', 'require("webpack");'],
  ].map(([file, start, end]) => ({
    file: `node_modules/@temporalio/worker/lib/workflow/${file}`,
    from: `${start}${end}`,
    to: `${start}undefined; // left out: federated-etl bundles before it starts`,
  }));
