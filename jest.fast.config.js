/**
 * The tests of `npm run check`: pure code and documents, without servers, browsers, databases or processes. A new test
 * in one of these folders is included; in any other folder, only `npm test` runs it.
 *
 * @type {import('jest').Config}
 */
const config = require('./jest.config');

module.exports = {
  ...config,
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: [
    '**/test/{bench,config,docs,errors,etl,federation}/**/*.test.ts',
    '**/test/query/parse-*.test.ts',
    // All but those that need a browser.
    '**/test/web/!(page|real-server).test.ts',
  ],
  // These splice large files for half a minute; only `npm test` runs them.
  testPathIgnorePatterns: ['/node_modules/', '/test/etl/splice'],
};
