import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const isThere = (room: string) => existsSync(join(root, room));
const named = (text: string, quote: string) =>
  [...text.matchAll(new RegExp(`${quote}([a-z-]+)${quote}`, 'g'))].map(([, name]) => name ?? '').sort();

describe('docs/design/architecture.md', () => {
  it('says of each room what the linter says', () => {
    const rule = /^ {2}'?([a-z-]+)'?: \{\s+values: \[(.*?)\],\s+types: \[(.*?)\],?\s+\},$/gm;
    const linted = [...read('eslint.config.mjs').matchAll(rule)]
      .filter(([, room = '']) => isThere(room))
      .map(([, room, values = '', types = '']) => ({
        room,
        values: named(values, "'").filter(isThere),
        types: named(types, "'"),
      }));
    const row = /^\| `([a-z-]+)\/` +\|.*\|([^|]*)\|([^|]*)\|$/gm;
    const documented = [...read('docs/design/architecture.md').matchAll(row)]
      .filter(([, , values = '']) => values.trim() !== 'everything')
      .map(([, room, values = '', types = '']) => ({
        room,
        values: named(values, '`'),
        types: named(types, '`'),
      }));
    const byRoom = <T extends { room?: string }>(list: T[]) =>
      list.sort((a, b) => (a.room ?? '').localeCompare(b.room ?? ''));
    expect(linted.length).toBeGreaterThan(0);
    expect(byRoom(documented)).toEqual(byRoom(linted));
  });
});
