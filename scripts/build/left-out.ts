/**
 * What the image is without though npm installs it for production. Each list is checked by the build: an entry that
 * fits nothing any more fails it, so that a new version of a package is looked at again.
 */

/**
 * Packages that others ask for and that never run: the bundler of the SDK and its compilers, as the workflow code is
 * bundled by the build, and types. What only they need goes with them.
 */
export const leftOutDependencies: Readonly<Record<string, readonly string[]>> = {
  '@temporalio/worker': ['@swc/core', 'memfs', 'source-map-loader', 'swc-loader', 'unionfs', 'webpack'],
  'apache-arrow': ['@types/node'],
  protobufjs: ['@types/node'],
};

/** Folders and files of packages that are for whoever builds the package itself. */
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

/** Types, sources and the maps to them: a third of the bytes, and nothing that Node loads. */
export const leftOutEndings: readonly string[] = ['.ts', '.mts', '.cts', '.map'];

/**
 * Lines of a package that load at its start what is left out, and what stands there instead. Only bundling uses it, which
 * the built program never does.
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
