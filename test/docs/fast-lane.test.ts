import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '../..');
const { testMatch, testPathIgnorePatterns } = jest.requireActual<{
  readonly testMatch: readonly string[];
  readonly testPathIgnorePatterns: readonly string[];
}>('../../jest.fast.config.js');

it('the tests of `npm run check` need no server', () => {
  const patterns = testMatch.map((pattern) => pattern.replace('**/test/', 'test/'));
  const files = globSync(patterns, { cwd: root }).filter(
    (file) => !testPathIgnorePatterns.some((ignored) => `/${file}`.match(ignored)),
  );
  expect(files).toContain('test/docs/fast-lane.test.ts');
  const withServer = files.filter((file) =>
    /from '\.\.\/servers\/(temporal|versitygw|fake-gcs|azurite)'/.test(
      readFileSync(path.join(root, file), 'utf8'),
    ),
  );
  expect(withServer).toEqual([]);
});
