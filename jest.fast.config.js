/**
 * The tests of `npm run check`: pure code and the documents, without servers, browsers, databases or processes.
 *
 * @type {import('jest').Config}
 */
const config = require('./jest.config');

module.exports = {
  ...config,
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: [
    '**/test/{config,docs,errors,etl,federation}/**/*.test.ts',
    '**/test/query/{parse-*,legacy-filters,exact-sum}.test.ts',
    '**/test/web/{bars,filter-fields,format,opening-window,url-state,warnings}.test.ts',
  ],
  // Half a minute of splicing large files; `npm test` runs them.
  testPathIgnorePatterns: ['/node_modules/', '/test/etl/splice'],
};
