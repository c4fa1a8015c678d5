/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Only to end a test that hangs: on a busy machine a test may take 20 times as long as usual. Single tests set no
  // limit, except those that take longer than this with full counts.
  testTimeout: 900_000,
  // Six on two cores: end-to-end tests and those of failing stores mostly wait for time-outs and processes.
  maxWorkers: 6,
  testSequencer: '<rootDir>/test/longest-first.js',
  // Finds or builds the test servers; each one starts when a test file first needs it.
  globalSetup: '<rootDir>/test/servers/global-setup.ts',
  globalTeardown: '<rootDir>/test/servers/global-teardown.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // `npm run test:long` sets FED_TEST_LONG. These test files repeat, for longer, what others already test.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.FED_TEST_LONG === '1' ? [] : ['\\.long\\.test\\.ts$']),
  ],
  transform: {
    '^.+\\.[jt]s$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
      },
    ],
  },
  // ES modules that CommonJS code requires. Node can load them; jest's loader needs an experimental option to do so.
  transformIgnorePatterns: [
    '/node_modules/(?!(?:.*/)?(?:(?:cookie|content-disposition)/dist|chokidar|p-limit|p-map|readdirp|yocto-queue)/)',
  ],
};
