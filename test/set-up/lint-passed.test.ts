import { rmSync } from 'node:fs';
import path from 'node:path';
import { lintMemo } from '../../scripts/set-up/lint-passed.cjs';
import { scratchFolder, write } from './scratch';

const root = scratchFolder();
const passed = () => lintMemo(root(), path.join(root(), 'node_modules/lint-passed'));

beforeEach(() => {
  for (const file of ['a.ts', 'web/b.tsx', 'package-lock.json', 'test/golden/c.json', 'README.md'])
    write(path.join(root(), file), file);
  expect(passed().passed).toBe(false);
  passed().remember();
  expect(passed().passed).toBe(true);
});

test.each([
  ['code is changed', () => write(path.join(root(), 'web/b.tsx'), 'changed')],
  ['code is added', () => write(path.join(root(), 'etl/d.cjs'), '')],
  ['code is deleted', () => rmSync(path.join(root(), 'a.ts'))],
  ['a package has another version', () => write(path.join(root(), 'package-lock.json'), 'changed')],
])('eslint runs again if %s', (_, change) => {
  change();
  expect(passed().passed).toBe(false);
});

test.each(['test/golden/c.json', 'README.md', 'node_modules/package/e.js'])(
  'eslint does not run again for %s',
  (file) => {
    write(path.join(root(), file), 'changed');
    expect(passed().passed).toBe(true);
  },
);

test('files that change while eslint runs are linted again', () => {
  const memo = passed();
  write(path.join(root(), 'a.ts'), 'changed');
  memo.remember();
  expect(passed().passed).toBe(false);
});
