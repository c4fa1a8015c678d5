import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { allocationPlaces, edited, models, root, versions } from './new-fields';

/** Edits to the source code. They add the field `networkVpnCost` to allocations, and no field to assets. */
const edits = [
  ...versions,
  ...models.filter(({ line }) => line.includes('networkVpnCost')),
  ...allocationPlaces,
];
/** Folders that contain the modules that `new-field-child.ts` imports. */
const copied = [
  'etl',
  'query',
  'api',
  'errors',
  'concurrency',
  'local-etl',
  'storage',
  'test/etl',
  'test/query',
  'test/api',
];
const linked = ['node_modules', 'test/golden'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'new-field-'));
  for (const below of copied) cpSync(path.join(root, below), path.join(folder, below), { recursive: true });
  for (const below of linked) symlinkSync(path.join(root, below), path.join(folder, below));
  for (const [file, text] of edited(edits)) writeFileSync(path.join(folder, file), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `new-field-child.ts` in an edited copy of the sources, and returns what it printed. */
async function printed(): Promise<unknown> {
  const child = path.join(folder, 'test/api/new-field-child.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', child], {
    cwd: folder,
  });
  return JSON.parse(stdout);
}

describe('a new field of an allocation', () => {
  it('goes from the files of two clusters to the answers', async () => {
    expect(await printed()).toEqual({
      read: [1, 2],
      readFromOlder: 0,
      merged: 3,
      spliced: 3,
      extracted: [1, 2],
      query: 3,
      api: 3,
      exported: [[3]],
      documented: {
        name: 'network_vpn_cost',
        type: 'DOUBLE',
        unit: 'currency',
        meaning: 'the part of `network_cost` through VPNs',
      },
    });
  });
});
