import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingKey, settingNames, variableOf } from '../../config/keys';

const page = readFileSync(join(__dirname, '../../docs/reference/settings.md'), 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `([A-Za-z0-9.]+)` +\| `([A-Z0-9_]+)` +\| (.*?) +\|/gm)].map(
    ([, key, variable, byDefault]) => [key, { variable, byDefault }],
  ),
);

describe('docs/reference/settings.md', () => {
  it('has one row per setting, and no others', () => {
    expect([...rows.keys()].sort()).toEqual([...settingNames].sort());
  });

  it.each(settingNames)('names the variable and the default of %s', (name) => {
    const row = rows.get(name);
    expect(row?.variable).toBe(variableOf(name));
    const { byDefault } = settingKey(name);
    if (typeof byDefault === 'object' || byDefault === undefined) return;
    expect(row?.byDefault).toBe(`\`${JSON.stringify(byDefault).replaceAll('"', '')}\``);
  });
});
