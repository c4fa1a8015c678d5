'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * Top-level folders with the modules of the program. `web/` is not listed: the program needs only its module
 * `bundle.ts`.
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
 * How esbuild compiles a source, here and for the image. It does not read tsconfig.json, so the result depends on
 * nothing but the source.
 */
const compilerOptions = {
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  // Compile `import()` to `require`, which is faster.
  supported: { 'dynamic-import': false },
  tsconfigRaw: { compilerOptions: { strict: true } },
};

/** Returns the program's TypeScript files below `root`, such as `etl/window.ts`. */
function sourcesOf(root) {
  return rooms.flatMap((room) =>
    fs
      .readdirSync(path.join(root, room), { recursive: true })
      .map((name) => `${room}/${name.replaceAll(path.sep, '/')}`)
      .filter((name) => name.endsWith('.ts')),
  );
}

module.exports = { compilerOptions, sourcesOf };
