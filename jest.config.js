/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Only ends a test that hangs; a busy machine may take many times what a test usually takes.
  testTimeout: 120_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/test/longest-first.js',
  // Finds or builds the test servers; each is started when a test file asks for it.
  globalSetup: '<rootDir>/test/servers/global-setup.ts',
  globalTeardown: '<rootDir>/test/servers/global-teardown.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[jt]s$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
      },
    ],
  },
  // ES modules that CommonJS code requires: Node can load them, jest's loader only with an experimental option.
  transformIgnorePatterns: [
    '/node_modules/(?!(?:.*/)?(?:(?:cookie|content-disposition)/dist|chokidar|p-limit|p-map|readdirp|yocto-queue)/)',
  ],
};
