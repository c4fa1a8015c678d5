import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runMain } from './run-main';

const page = readFileSync(join(__dirname, '../../docs/reference/command-line.md'), 'utf8');
const documented = [...page.matchAll(/^### `([a-z]+)/gm)].map(([, verb]) => verb ?? '');

describe('docs/reference/command-line.md', () => {
  it('has every verb of the program, and no others', async () => {
    const { out } = await runMain('--help');
    const verbs = [...out.replace(/^[\s\S]*Commands:/, '').matchAll(/^ {2}([a-z]+) /gm)].map(
      ([, verb]) => verb ?? '',
    );
    expect([...new Set(documented)].sort()).toEqual(verbs.filter((verb) => verb !== 'help').sort());
  });
});
