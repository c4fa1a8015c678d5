import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalog, type ErrorCode } from '../../errors/catalog';

const page = readFileSync(join(__dirname, '../../docs/reference/errors.md'), 'utf8');
const entries = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((entry) => [entry.split('\n')[0] ?? '', entry.replace(/\n## [\s\S]*$/, '')] as const),
);
const codes = Object.keys(catalog) as ErrorCode[];

describe('docs/reference/errors.md', () => {
  it('has an entry for every code, and no others', () => {
    expect([...entries.keys()].sort()).toEqual([...codes].sort());
  });

  it.each(codes)('has the program’s text for %s', (code) => {
    const { means, hint, retryable } = catalog[code];
    const entry = entries.get(code) ?? '';
    expect(entry).toContain(means);
    expect(entry).toContain(hint);
    expect(entry.includes('_Retried automatically._')).toBe(retryable);
  });
});
