import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSet } from '../../etl/file';
import { goldenBytes, goldenJson } from '../etl/golden-files';
import { patchedFloats } from '../etl/patched-floats';
import { sameMeaning } from '../etl/same-meaning';
import { runMain } from './run-main';

const golden = join(__dirname, '..', 'golden');
const window = '1d/1794614400-1794700800';

/** Runs a verb and returns its output. Fails the test if the verb fails. */
async function run(...args: string[]): Promise<string> {
  const answer = await runMain(...args);
  expect(answer).toMatchObject({ status: 0, err: '' });
  return answer.out;
}

/** Runs a verb and returns its error message. Fails the test if the verb succeeds. */
async function errorOf(...args: string[]): Promise<string> {
  const { status, out, err } = await runMain(...args);
  expect({ status, out }).toEqual({ status: 1, out: '' });
  return err;
}

async function codeOf(...args: string[]): Promise<string | undefined> {
  return /^[A-Z_]+(?=: )/.exec(await errorOf(...args))?.[0];
}

describe('inspect', () => {
  const file = (cluster: string, pipeline: string) =>
    join(golden, `bucket/federated/${cluster}/etl/bingen/${pipeline}/${window}`);

  test('summarizes a file', async () => {
    const shown = await run('inspect', file('cluster-1', 'allocations'));
    expect(shown).toMatch(/pipeline +allocations/);
    expect(shown).toMatch(/window +2026-11-14T00:00:00Z to 2026-11-15T00:00:00Z/);
    expect(shown).toMatch(/codec versions +set 25; records 25 \(48\)/);
    expect(shown).toMatch(/clusters +cluster-1/);
    expect(shown).toMatch(/records +48/);
    expect(shown).toMatch(/total cost +\d+\.\d\d /);
    expect(shown).toContain('The 10 costliest of 48 records:');
  });

  test('shows warnings, mixed versions and sets without records', async () => {
    expect(await run('inspect', join(golden, 'edge/versions/allocations.v25'))).toMatch(
      /warning +old: 4 pods/,
    );
    const mixed = await run('inspect', join(golden, 'edge/valid/mixed-versions.assets'));
    expect(mixed).toMatch(/records 21 \(\d+\), 20 \(\d+\)/);
    expect(await run('inspect', join(golden, 'edge/valid/nil-maps.assets'))).toMatch(/records +0/);
  });

  test('prints every field as JSON', async () => {
    const path = 'edge/versions/assets.v21';
    expect(JSON.parse(await run('inspect', '--json', join(golden, path)))).toEqual(
      goldenJson(`${path}.json`),
    );
  });

  test('names numbers that are NaN or infinite, and counts them as 0', async () => {
    const path = 'edge/valid/floats.allocations';
    const shown = await run('inspect', join(golden, path));
    expect(shown).toMatch(/not finite +6: cpuCost \(3\), ramCost \(3\) in edge$/m);
    expect(shown).toMatch(
      /total cost +-?\d+\.\d\d \(in the currency of the cluster; numbers that are not finite count as 0\)$/m,
    );
    expect(shown).not.toMatch(/NaN|Infinity/);
    expect(JSON.parse(await run('inspect', '--json', join(golden, path)))).toEqual(
      goldenJson(`${path}.json`),
    );
    expect(await run('inspect', file('cluster-1', 'allocations'))).not.toContain('not finite');
  });

  test('distinguishes them by cluster', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
    try {
      const merged = goldenBytes(`expected/federated/combined/etl/bingen/allocations/${window}`);
      const records = [...(decodeSet('allocations', merged).allocations?.values() ?? [])];
      const costOf = (cluster: string) =>
        records.find((record) => record?.properties?.cluster === cluster && record.cpuCost > 0)?.cpuCost ?? 0;
      const broken = patchedFloats(merged, [
        [costOf('cluster-2'), NaN],
        [costOf('cluster-4'), -Infinity],
      ]);
      const path = join(folder, 'broken');
      await writeFile(path, broken);
      const shown = await run('inspect', path);
      const [, clusters = ''] = /not finite +2: (.*)$/m.exec(shown) ?? [];
      expect(clusters.split('; ').sort()).toEqual(['cpuCost (1) in cluster-2', 'cpuCost (1) in cluster-4']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('uses the option, then the path, then the content', async () => {
    const versions = join(golden, 'edge/versions/assets.v21');
    expect(await run('inspect', versions)).toMatch(/pipeline +assets/);
    expect(await codeOf('inspect', '--pipeline', 'allocations', versions)).toBe('ETL_WRONG_PIPELINE');
    expect(await codeOf('inspect', join(golden, 'edge/invalid/last-byte-missing.assets'))).toBe(
      'ETL_TRUNCATED',
    );
  });

  test('refuses a missing file', async () => {
    expect(await codeOf('inspect', join(golden, 'nothing'))).toBe('STORAGE_NOT_FOUND');
    const out = join(golden, 'never-written');
    expect(await codeOf('merge', '--out', out, join(golden, 'nothing'))).toBe('STORAGE_NOT_FOUND');
  });
});

describe('merge', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'merge-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const source = (cluster: string, pipeline: string, name = window) =>
    join(golden, `edge/collisions/federated/${cluster}/etl/bingen/${pipeline}/${name}`);

  test('writes what OpenCost would merge, and nothing else', async () => {
    const out = join(folder, 'merged');
    const files = ['east', 'north', 'west'].map((cluster) => source(cluster, 'allocations'));
    const printed = await run('merge', '--out', out, ...files);
    const expected = goldenBytes(
      `edge/collisions/expected/federated/combined/etl/bingen/allocations/${window}`,
    );
    const bytes = await readFile(out);
    expect(sameMeaning('allocations', bytes, expected)).toEqual([]);
    const count = decodeSet('allocations', expected).allocations?.size;
    expect(printed).toMatch(`${out}: ${count} records of 3 files, `);
    expect(await readdir(folder)).toEqual(['merged']);
  });

  test('refuses files of different windows or pipelines, and writes nothing', async () => {
    const out = join(folder, 'merged');
    const east = source('east', 'allocations');
    const hour = source('north', 'allocations', '1h/1794816000-1794819600');
    expect(await codeOf('merge', '--out', out, east, hour)).toBe('MERGE_WINDOWS_DIFFER');
    expect(await codeOf('merge', '--out', out, east, source('north', 'assets'))).toBe('MERGE_WINDOWS_DIFFER');
    expect(await readdir(folder)).toEqual([]);
    // Here, only their contents say which pipeline they are of.
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await copyFile(source('east', 'allocations'), a);
    await copyFile(source('north', 'assets'), b);
    expect(await errorOf('merge', '--out', out, a, b)).toMatch(
      /^MERGE_WINDOWS_DIFFER: .*a holds allocations of \d+-\d+, and .*b holds assets of \d+-\d+\. \(key .*b\)/,
    );
    expect(await readdir(folder)).toEqual(['a', 'b']);
  });

  test('names the file that is damaged', async () => {
    const [good, bad] = [source('east', 'allocations'), join(folder, 'bad')];
    await writeFile(bad, (await readFile(good)).subarray(0, -1));
    expect(await errorOf('merge', '--out', join(folder, 'merged'), good, bad)).toMatch(
      /^ETL_TRUNCATED: .*\(.*key .*\/bad/,
    );
    expect(await readdir(folder)).toEqual(['bad']);
  });

  test('reports when it cannot write', async () => {
    expect(await errorOf('merge', '--out', '/no/where', source('east', 'assets'))).toMatch(
      /^STORAGE_UNAVAILABLE: .*\(key \/no\/where\)\n {2}Give --out a path/,
    );
  });
});
