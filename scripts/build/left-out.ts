/**
 * Production dependencies, or parts of them, that the image does not need. If an entry no longer matches anything, the
 * build fails, so that somebody reviews the new version of the package.
 */

/**
 * Dependencies that never run, keyed by the package that depends on them: types, and the bundler of Temporal's SDK with
 * its compilers (the build has already bundled the workflow code). Packages that only these dependencies need are
 * omitted too.
 */
export const leftOutDependencies: Readonly<Record<string, readonly string[]>> = {
  '@temporalio/worker': ['@swc/core', 'memfs', 'source-map-loader', 'swc-loader', 'unionfs', 'webpack'],
  'apache-arrow': ['@types/node'],
  protobufjs: ['@types/node'],
};

/** Folders and files that are only needed to build a package, keyed by package. */
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
 * File name endings of types, sources and source maps. They make up a third of the bytes, and Node loads none of them.
 */
export const leftOutEndings: readonly string[] = ['.ts', '.mts', '.cts', '.map'];

/**
 * Lines that load an omitted package when the program starts, with their replacements. Only bundling needs those
 * packages, and the built program never bundles.
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
