/**
 * This module lists production dependencies, and parts of them, that the image does not need. If an entry matches
 * nothing, the build fails: the package has probably changed, so its entries must be reviewed.
 */

/**
 * Dependencies that never run, keyed by the package that depends on them. Some contain only types. The others, such as
 * webpack, are used only to bundle workflow code, and the build has already bundled it. Packages that only these
 * dependencies need are omitted too.
 */
export const leftOutDependencies: Readonly<Record<string, readonly string[]>> = {
  '@temporalio/worker': ['@swc/core', 'memfs', 'source-map-loader', 'swc-loader', 'unionfs', 'webpack'],
  'apache-arrow': ['@types/node'],
  protobufjs: ['@types/node'],
};

/** Folders and files that are only needed to build a package from its sources, keyed by package. */
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

/**
 * Name endings of files that Node never loads: type declarations, sources and source maps. These files make up a third
 * of the size of the packages.
 */
export const leftOutEndings: readonly string[] = ['.ts', '.mts', '.cts', '.map'];

/**
 * Lines of Temporal's SDK that load an omitted package when the program starts, with the lines that replace them. The
 * SDK needs these packages only to bundle workflow code, which the built program never does.
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
