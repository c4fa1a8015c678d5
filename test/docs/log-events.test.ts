import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const rooms = [
  'activities',
  'api',
  'config',
  'federation',
  'local-etl',
  'operator',
  'scripts',
  'storage',
  'workers',
  'workflows',
];

/**
 * Finds the names of log events in source code: all strings in the value after `event:`. If that value is an expression
 * that chooses between two names, finds both.
 */
function eventsOf(source: string): string[] {
  return [...source.matchAll(/\bevent: ([^,}\n]*)/g)].flatMap(([, value]) =>
    [...(value ?? '').matchAll(/'([a-z.-]+)'/g)].map(([, name]) => name ?? ''),
  );
}

const sources = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, room, name), 'utf8')),
);
const written = [...new Set(sources.flatMap(eventsOf))].sort();

const page = readFileSync(join(root, 'docs/reference/log-events.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z.-]+)` +\| (`(?:debug|info|warn|error)`|any) /gm)];
const documented = rows.map(([, event]) => event ?? '');

describe('docs/reference/log-events.md', () => {
  it('has every event that the code writes, and no other, once', () => {
    expect(written.length).toBeGreaterThan(0);
    expect([...documented].sort()).toEqual(written);
  });
});
