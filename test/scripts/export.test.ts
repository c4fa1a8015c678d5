import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { decodeSet } from '../../etl/file';
import { totalCost } from '../../etl/set-facts';
import { readDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { exportPrefix, objectKey } from '../../federation/layout';
import { rowsOf } from '../../query/database';
import { builtProgram } from '../servers/program';
import { FederationFolder } from './federation-folder';
import { runMain } from './run-main';

const combined = path.join(__dirname, '../golden/expected/federated/combined/etl');
const day = 'allocations/1d/1794614400-1794700800';
const nextDay = 'allocations/1d/1794700800-1794787200';
const hour = 'assets/1h/1794816000-1794819600';

let federation: FederationFolder;
let out: string;
const environment = { ...process.env };
beforeEach(async () => {
  federation = await FederationFolder.create();
  out = path.join(federation.folder, 'out');
  for (const name of Object.keys(process.env).filter((key) =>
    /^(TEMPORAL_|FEDERATED_|ETL_|CLUSTER_ID)/.test(key),
  )) {
    delete process.env[name];
  }
  process.env.TEMPORAL_CONFIG_FILE = path.join(federation.folder, 'none.toml');
});
afterEach(async () => {
  process.env = { ...environment };
  await federation[Symbol.asyncDispose]();
});

const run = (...argv: string[]) => runMain('export', '--config', federation.settings, ...argv);

interface Summary {
  written: number;
  unchanged: number;
  removed: number;
  rows: number;
  bytes: number;
  generation?: number;
  refused: { window: string; code: string }[];
}

async function json(...argv: string[]): Promise<Summary> {
  return JSON.parse((await run(...argv, '--json')).out) as Summary;
}

/** Pushes the given windows of the given clusters, merges them, and commits the result as a generation. */
async function commit(generation: number, windows: readonly string[], clusters = ['cluster-1', 'cluster-2']) {
  for (const cluster of clusters) for (const window of windows) await federation.push(cluster, window);
  await federation.commit(generation, clusters, windows);
}

async function newest(generation: number) {
  const read = await readDocument(federation.bucket, documents.generation.at(generation));
  if (read === undefined) throw new Error('the commit failed');
  return read;
}

/** Lists the files below a folder, with paths relative to the folder. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Lists the exported window files below a folder. Omits the schema file and temporary files. (The name of a temporary
 * file starts with a dot.)
 */
const windowFiles = (folder: string) =>
  filesBelow(folder).filter((name) => name !== 'v1/schema.json' && !path.basename(name).startsWith('.'));

async function ask(sql: string) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return await rowsOf(connection, sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Adds up the costs in a file of allocations. Omits idle costs, because they are not exported. */
function workloadCost(bytes: Uint8Array): number {
  const set = decodeSet('allocations', bytes);
  const plain = [...(set.allocations ?? [])].filter(
    ([, record]) => record?.name.includes('__idle__') !== true,
  );
  return totalCost({ ...set, allocations: new Map(plain) });
}

async function costOf(glob: string): Promise<number> {
  const [row] = await ask(`select sum(total_cost) as cost from '${glob}'`);
  return Number(row?.['cost']);
}

describe('export of the newest generation', () => {
  it('is written to a folder with a summary, once', async () => {
    await commit(1, [day, hour]);
    const first = await run('--out', out);
    expect(first).toMatchObject({
      status: 0,
      err: 'export: 1 of 2 windows\nexport: 2 of 2 windows\n',
    });
    expect(first.out).toMatch(
      /^\/.*\/out: 2 windows of generation 1 written \(\d+ rows, [\d.]+ KiB\), 0 unchanged, 0 removed, in \S+\n$/,
    );
    const { windows } = await newest(1);
    const digest = (window: string) => windows[window]?.digest.slice(0, 12);
    expect(filesBelow(out)).toEqual([
      `v1/parquet/allocations/resolution=1d/day=2026-11-14/1794614400-1794700800-${digest(day)}.parquet`,
      `v1/parquet/assets/resolution=1h/day=2026-11-16/1794816000-1794819600-${digest(hour)}.parquet`,
      'v1/schema.json',
    ]);
    const object = readFileSync(
      path.join(federation.folder, 'bucket', objectKey(windows[day]?.fingerprint ?? '')),
    );
    expect(await costOf(`${out}/v1/parquet/allocations/**/*.parquet`)).toBeCloseTo(workloadCost(object), 6);
    expect(await json('--out', out)).toMatchObject({
      ...{ generation: 1, written: 0, unchanged: 2, removed: 0, rows: 0, bytes: 0, refused: [] },
    });
  });

  it('replaces a window that changed, and removes one that is gone only with --prune', async () => {
    await commit(1, [day, nextDay, hour]);
    await json('--out', out);
    const before = windowFiles(out);
    await commit(2, [day, hour], ['cluster-1', 'cluster-2', 'cluster-3']);
    expect(await json('--out', out)).toMatchObject({ generation: 2, written: 2, unchanged: 0, removed: 0 });
    const after = windowFiles(out);
    expect(after).toHaveLength(3);
    expect(before.filter((name) => after.includes(name))).toEqual([
      expect.stringContaining('day=2026-11-15'),
    ]);
    // One of the exported windows of allocations is not in generation 2. `--prune` with `--pipeline assets` must not
    // remove the file of that window.
    expect(await json('--out', out, '--prune', '--pipeline', 'assets')).toMatchObject({ removed: 0 });
    expect(await json('--out', out, '--prune')).toMatchObject({ written: 0, unchanged: 2, removed: 1 });
    expect(windowFiles(out)).toHaveLength(2);
  });

  it('goes into the bucket like any other, to its own place', async () => {
    await commit(1, [day, hour]);
    const place = path.join(federation.folder, 'bucket', exportPrefix);
    expect(await run('--out', 'bucket', '--format', 'csv')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^file:.*\/federated\/combined\/export: 2 windows/),
    });
    expect(windowFiles(place)).toEqual([
      expect.stringMatching(/^v1\/csv\/allocations\/resolution=1d\/.*\.csv\.gz$/),
      expect.stringMatching(/^v1\/csv\/assets\/resolution=1h\/.*\.csv\.gz$/),
    ]);
    expect(await json('--out', 'bucket')).toMatchObject({ written: 2 });
    expect(windowFiles(place)).toHaveLength(4);
    expect(await json('--out', 'bucket', '--format', 'csv', '--prune')).toMatchObject({
      ...{ written: 0, unchanged: 2, removed: 0 },
    });
    expect(windowFiles(place)).toHaveLength(4);
  });

  it('omits an object that is not as committed, and reports it', async () => {
    await commit(1, [day, nextDay, hour]);
    const { windows } = await newest(1);
    const [bad, gone] = [day, hour].map((window) => objectKey(windows[window]?.fingerprint ?? ''));
    await federation.bucket.put(bad ?? '', readFileSync(path.join(combined, 'bingen', day)));
    await federation.bucket.delete(gone ?? '');
    const { status, err } = await run('--out', out);
    expect(status).toBe(1);
    expect(err).toMatch(
      new RegExp(`^${day}: GENERATION_UNREADABLE: .*\n${hour}: STORAGE_NOT_FOUND: .*\n$`, 'm'),
    );
    expect(windowFiles(out)).toEqual([expect.stringContaining('day=2026-11-15')]);
  });

  it('is empty before the first one', async () => {
    expect(await run('--out', out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^QUERY_NO_DATA: Nothing has been combined in file:/),
    });
    expect(existsSync(out)).toBe(false);
  });
});

describe('export of a local ETL store', () => {
  const store = () => path.join(federation.folder, 'etl');
  const local = (...argv: string[]) => json('--etl', store(), '--out', out, ...argv);
  beforeEach(() => {
    for (const window of [day, nextDay, hour]) {
      mkdirSync(path.dirname(path.join(store(), 'bingen', window)), { recursive: true });
      cpSync(path.join(combined, 'bingen', window), path.join(store(), 'bingen', window), { mode: 0 });
    }
  });

  it('needs no settings', async () => {
    rmSync(federation.settings);
    const { status, out: said } = await runMain('export', '--etl', store(), '--out', out);
    expect([status, said]).toEqual([0, expect.stringContaining(`3 windows of ${store()} written`)]);
    const digest = createHash('sha256')
      .update(readFileSync(path.join(store(), 'bingen', day)))
      .digest('hex');
    expect(windowFiles(out)[0]).toContain(`1794614400-1794700800-${digest.slice(0, 12)}.parquet`);
  });

  it.each([
    [['--pipeline', 'assets'], 1],
    [['--resolution', '24h'], 2],
    [['--window', '2026-11-15T00:00:00Z,2026-11-15T01:00:00Z'], 1],
    [['--window', '1794614400,1794787200', '--pipeline', 'allocations'], 2],
    [['--resolution', '7d'], 0],
  ])('writes what %j selects', async (options, written) => {
    expect(await local(...options)).toMatchObject({ written, unchanged: 0 });
  });

  it('uses the file written last if a window has two names', async () => {
    const named = path.join(store(), 'bingen/allocations/1d/cluster.1794614400-1794700800');
    cpSync(path.join(__dirname, '../golden/bucket/federated/cluster-1/etl/bingen', day), named);
    expect(await local('--resolution', '1d')).toMatchObject({ written: 2 });
    const cost = await costOf(`${out}/v1/parquet/allocations/**/day=2026-11-14/*.parquet`);
    expect(cost).toBeCloseTo(workloadCost(readFileSync(named)), 6);
  });

  it('omits unreadable files, writes the others, and keeps previous exports of the omitted ones', async () => {
    await local();
    const file = path.join(store(), 'bingen', day);
    const whole = readFileSync(file);
    rmSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    const next = path.join(store(), 'bingen', nextDay);
    rmSync(next);
    cpSync(path.join(__dirname, '../golden/bucket/federated/cluster-1/etl/bingen', nextDay), next);
    expect(await local('--prune')).toMatchObject({
      ...{ written: 1, unchanged: 1, removed: 0 },
      refused: [{ window: day, code: 'ETL_TRUNCATED' }],
    });
    expect(windowFiles(out)).toHaveLength(3);
  });

  it('is refused without data, or if its folder cannot be created', async () => {
    expect(await run('--etl', path.join(federation.folder, 'none'), '--out', out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^LOCAL_ETL_MISSING/),
    });
    rmSync(path.join(store(), 'bingen'), { recursive: true });
    expect(await run('--etl', store(), '--out', out, '--prune')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^QUERY_NO_DATA/),
    });
    writeFileSync(out, '');
    expect(await run('--etl', combined, '--out', out)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^STORAGE_UNAVAILABLE: The folder cannot be created/),
    });
  });

  it('leaves no half file when killed, and the next one continues', async () => {
    const temporary = path.join(federation.folder, 'tmp');
    mkdirSync(temporary);
    const child = fork(await builtProgram(), ['export', '--etl', combined, '--out', out], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: 'ignore',
      execArgv: [],
    });
    const ended = once(child, 'exit');
    while (windowFiles(out).length === 0 && child.exitCode === null) await sleep(2);
    child.kill('SIGKILL');
    await ended;
    const there = windowFiles(out);
    expect(there.length).toBeGreaterThan(0);
    for (const name of there) {
      const [row] = await ask(`select count(*)::integer as rows from '${path.join(out, name)}'`);
      expect(row?.['rows']).toBeGreaterThan(0);
    }
    expect(await json('--etl', combined, '--out', out)).toMatchObject({
      ...{ written: 14 - there.length, unchanged: there.length },
    });
  });
});

describe('export, called wrongly', () => {
  it.each([
    [[], "required option '--out <dir>' not specified"],
    [['--out', 'x', '--format', 'orc'], 'Allowed choices are parquet, csv'],
    [['--out', 'x', '--resolution', 'daily'], 'A length of time is expected'],
    [['--out', 'x', '--window', '7d'], 'START,END is expected'],
    [['--out', 'bucket', '--etl', 'x'], '--out bucket is for combined data'],
  ])('%j', async (argv, said) => {
    expect(await run(...argv)).toMatchObject({ status: 2, err: expect.stringContaining(said) });
    expect(existsSync('x')).toBe(false);
  });

  it('has help with examples', async () => {
    const { status, out: help } = await run('--help');
    expect(status).toBe(0);
    expect(help).toMatch(/Examples:\n {2}federated-etl export --out \.\/costs/);
  });
});
