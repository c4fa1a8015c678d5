import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { createExportCombined, exportServed } from '../../activities/export-combined';
import type { Log } from '../../config/log';
import { toByteString } from '../../etl/byte-string';
import { decodeSet, encodeSet } from '../../etl/file';
import { type Allocation, type EtlSet, recordsOf } from '../../etl/model';
import { recordCost } from '../../etl/set-facts';
import { parseWindowId, type Pipeline, pipelines, windowId, type WindowRef } from '../../etl/window';
import { exportPrefix } from '../../federation/layout';
import { listWindowFiles } from '../../local-etl/list';
import { localEtl } from '../../local-etl/store';
import { toColumns, type WindowColumns } from '../../query/columns';
import { rowsOf } from '../../query/database';
import { QueryEngine } from '../../query/engine';
import { exportSchema, exportWindow, servedWindows } from '../../query/export';
import { type ExportFormat, exportFormats } from '../../query/export-formats';
import type { WantedFile } from '../../query/ingest';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { allocation, allocationSet, asset, assetSet } from '../etl/build-records';

const golden = localEtl(path.join(__dirname, '../golden/expected/federated/combined/etl'));

let folder: string;
let root: string;
let bucket: Bucket;
let engine: QueryEngine;
beforeEach(async () => {
  ({ folder, root, bucket, engine } = await setUp());
});
afterEach(() => tearDown({ folder, bucket, engine }));

async function setUp() {
  const made = mkdtempSync(path.join(tmpdir(), 'export-'));
  const below = path.join(made, 'bucket');
  mkdirSync(below);
  const database = { folder: path.join(made, 'database'), memoryLimit: '256MB', threads: 2 };
  const [opened, inside] = [openFilesystem({ directory: below }), await QueryEngine.open(database)];
  return { folder: made, root: below, bucket: opened, engine: inside };
}

async function tearDown(made: { folder: string; bucket: Bucket; engine: QueryEngine }) {
  made.engine.close();
  await made.bucket.close();
  rmSync(made.folder, { recursive: true, force: true });
}

function wanted(ref: WindowRef, bytes: Uint8Array): WantedFile {
  const digest = createHash('sha256').update(bytes).digest('hex');
  let columns: WindowColumns | undefined;
  return { ...ref, digest, read: async () => (columns ??= toColumns(decodeSet(ref.pipeline, bytes))) };
}

/** The golden files: 14 windows that OpenCost merged from five clusters. */
const goldenFiles: WantedFile[] = [];
/** The first two and the last two of `goldenFiles`: two files with allocations and two with assets. */
const someFiles: WantedFile[] = [];
beforeAll(async () => {
  for await (const { ref, path: file } of listWindowFiles(golden))
    goldenFiles.push(wanted(ref, readFileSync(path.join(golden.bingen, file))));
  goldenFiles.sort((a, b) => (windowId(a) < windowId(b) ? -1 : 1));
  someFiles.push(...goldenFiles.slice(0, 2), ...goldenFiles.slice(-2));
});

let ingests = 0;
function serve(files: readonly WantedFile[], by = engine) {
  return by.serve(files, { generation: 7, ingestedAt: String(++ingests) });
}

const always = { signal: new AbortController().signal };

/** Lists all files in the folder `below` and its subfolders. (Default: the bucket's folder) */
function filesThere(below = root): string[] {
  return readdirSync(below, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(below, path.join(entry.parentPath, entry.name)))
    .sort();
}

function ask(sql: string, of = engine) {
  return of.withConnection((connection) => rowsOf(connection, sql));
}

const readers: Record<ExportFormat, (below: string, hive: boolean) => string> = {
  parquet: (below, hive) => `read_parquet('${below}/**/*.parquet', hive_partitioning = ${hive})`,
  csv: (below, hive) => `read_csv('${below}/**/*.csv.gz', hive_partitioning = ${hive})`,
};

/** Returns the total costs in the golden files, keyed by resolution and cluster. */
function expectedCosts(pipeline: Pipeline): Map<string, number> {
  const costs = new Map<string, number>();
  for (const resolution of ['1d', '1h']) {
    const below = path.join(golden.bingen, pipeline, resolution);
    for (const name of readdirSync(below)) {
      const set: EtlSet = decodeSet(pipeline, readFileSync(path.join(below, name)));
      for (const record of recordsOf(set)?.values() ?? []) {
        // Skip stored idle records. The engine does not ingest them, because it computes idle costs itself.
        if (record === null || ('name' in record && record.name.includes('__idle__'))) continue;
        const key = `${resolution} ${record.properties?.cluster ?? ''}`;
        costs.set(key, (costs.get(key) ?? 0) + recordCost(pipeline, record));
      }
    }
  }
  return costs;
}

describe.each(exportFormats)('as %s', (format) => {
  let exported: Awaited<ReturnType<typeof setUp>>;
  beforeAll(async () => {
    exported = await setUp();
    await serve(goldenFiles, exported.engine);
    await exportServed(exported.engine, exported.bucket, exportPrefix, { ...always, format, prune: true });
  });
  afterAll(() => tearDown(exported));

  const read = (pipeline: Pipeline, hive: boolean) =>
    readers[format](path.join(exported.root, exportPrefix, 'v1', format, pipeline), hive);

  it.each(pipelines)('%s cost the same as in the ETL files, by resolution and cluster', async (pipeline) => {
    const rows = await ask(
      `select resolution || ' ' || coalesce(cluster, '') as key, sum(total_cost) as cost,
        count(distinct day)::integer as days from ${read(pipeline, true)} group by all`,
      exported.engine,
    );
    const expected = expectedCosts(pipeline);
    expect(expected.size).toBeGreaterThanOrEqual(10);
    expect(rows.map(({ key }) => key).sort()).toEqual([...expected.keys()].sort());
    for (const { key, cost, days } of rows) {
      expect(cost).toBeCloseTo(expected.get(key as string) ?? NaN, 6);
      expect(days).toBe((key as string).startsWith('1d') ? 3 : 1);
    }
  });

  it.each(pipelines)('%s have every column of the schema, in order', async (pipeline) => {
    const described = await ask(`describe select * from ${read(pipeline, false)}`, exported.engine);
    const promised = exportSchema.tables[pipeline];
    expect(described.map((row) => row['column_name'])).toEqual(promised.map(({ name }) => name));
    if (format === 'csv') return;
    expect(described.map((row) => row['column_type'])).toEqual(promised.map(({ type }) => type));
  });
});

describe('a row', () => {
  const day = parseWindowId('allocations/1d/1794614400-1794700800');
  if (day === undefined) throw new Error('this is a window');
  const odd = 'größe "it\'s", \n/%_\\ \u{1F600}';

  async function exportRecords(pipeline: Pipeline, set: EtlSet, format: ExportFormat) {
    await serve([wanted({ ...day, pipeline } as WindowRef, encodeSet(set))]);
    const [window] = await engine.withConnection(servedWindows);
    const file = path.join(folder, `it's one.${format}`);
    const rows = await engine.withConnection((connection) =>
      exportWindow(connection, window?.id ?? 0, format, file),
    );
    const reader = format === 'csv' ? 'read_csv' : 'read_parquet';
    const options = format === 'csv' ? ", compression = 'gzip', header = true" : '';
    return { rows, read: await ask(`select * from ${reader}('${file.replaceAll("'", "''")}'${options})`) };
  }

  const container = (fields: Partial<Allocation>) =>
    allocation('c1/n1/ns/pod/app', {
      start: { seconds: 1_794_614_400, nanos: 500_000_000, zoneMinutes: -1, zoneSeconds: null },
      end: { seconds: 1_794_618_000, nanos: 500_000_000, zoneMinutes: -1, zoneSeconds: null },
      ...fields,
      properties: {
        ...{ version: 25, cluster: 'c1', node: 'n1', namespace: 'ns', pod: 'pod', container: 'app' },
        ...{ controller: 'web', controllerKind: 'deployment', providerID: 'i-1' },
        services: ['front', odd].map(toByteString),
        labels: new Map([
          ['app', 'web'],
          [toByteString(odd), toByteString(odd)],
        ]),
        annotations: null,
        namespaceLabels: new Map(),
        namespaceAnnotations: null,
      },
    });

  it('has the fields of its allocation, in Parquet', async () => {
    const raw = { version: 25, cpuCoreUsageMax: 1.5, ramBytesUsageMax: Infinity, gpuUsageMax: null };
    const record = container({ cpuCost: 2, ramCostAdjustment: -0.5, rawAllocationOnly: raw });
    const { rows, read } = await exportRecords('allocations', allocationSet([record]), 'parquet');
    expect(rows).toBe(1);
    expect(read[0]).toMatchObject({
      ...{ cluster: 'c1', node: 'n1', namespace: 'ns', pod: 'pod', container: 'app', provider_id: 'i-1' },
      ...{ controller: 'web', controller_kind: 'deployment', unmounted: false },
      services: ['front', odd],
      labels: [
        { key: 'app', value: 'web' },
        { key: odd, value: odd },
      ],
      annotations: [],
      ...{ cpu_cost: 2, ram_cost_adjustment: -0.5, total_cost: 1.5, minutes: 60 },
      ...{ cpu_max: 1.5, ram_max: null, gpu_max: null },
    });
    const times = ['window_start', 'window_end', 'start_time', 'end_time'].map((name) =>
      String(read[0]?.[name]),
    );
    expect(times).toEqual([
      '2026-11-14 00:00:00',
      '2026-11-15 00:00:00',
      '2026-11-14 00:00:00.5',
      '2026-11-14 01:00:00.5',
    ]);
  });

  it('has lists and maps as JSON, in CSV', async () => {
    const { read } = await exportRecords('allocations', allocationSet([container({})]), 'csv');
    const json = (name: string) => JSON.parse(String(read[0]?.[name])) as unknown;
    expect(json('services')).toEqual(['front', odd]);
    expect(json('labels')).toEqual({ app: 'web', [odd]: odd });
    expect(json('annotations')).toEqual({});
    expect(read[0]?.['cpu_max']).toBeNull();
  });

  it('has no formulas in CSV, but negative numbers', async () => {
    const record = container({ cpuCost: 2, ramCostAdjustment: -0.5 });
    const words = {
      node: '=1+1',
      namespace: '+a',
      pod: '-b',
      container: '@c',
      controller: '\t=d',
      providerID: '＝e',
    };
    const hostile = Object.fromEntries(
      Object.entries(words).map(([name, text]) => [name, toByteString(text)]),
    );
    Object.assign(record.properties ?? {}, hostile);
    const { read } = await exportRecords('allocations', allocationSet([record]), 'csv');
    expect(read[0]).toMatchObject({
      ...{ cluster: 'c1', node: "'=1+1", namespace: "'+a", pod: "'-b", container: "'@c" },
      ...{ controller: "'\t=d", provider_id: "'＝e", ram_cost_adjustment: -0.5 },
    });
  });

  it('has null for a time outside the calendar', async () => {
    const end = { seconds: 3e11, nanos: 0, zoneMinutes: -1, zoneSeconds: null };
    const { read } = await exportRecords('allocations', allocationSet([container({ end })]), 'parquet');
    expect(read[0]?.['end_time']).toBeNull();
  });

  it('has null for fields that its asset type lacks', async () => {
    const set = assetSet([asset('Node', { cpuCost: 2, discount: 0.5 }), asset('Disk', { cost: 3 })]);
    const { read } = await exportRecords('assets', set, 'parquet');
    expect(
      read.map(({ type, total_cost, cpu_cost, storage_class, private: inside }) => [
        ...[type, total_cost, cpu_cost],
        ...[typeof storage_class, inside],
      ]),
    ).toEqual([
      ['Disk', 3, null, 'string', null],
      ['Node', 1, 2, 'object', null],
    ]);
  });

  it('is not required: a file without rows is written, too', async () => {
    const { rows, read } = await exportRecords('allocations', allocationSet([]), 'parquet');
    expect([rows, read]).toEqual([0, []]);
  });
});

describe('exportWindow', () => {
  it('returns undefined for a file that is no longer in the database', async () => {
    await serve(someFiles);
    const target = path.join(folder, 'none');
    expect(
      await engine.withConnection((connection) => exportWindow(connection, 999, 'parquet', target)),
    ).toBeUndefined();
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('is interrupted by its signal', async () => {
    await serve(someFiles);
    const [window] = await engine.withConnection(servedWindows);
    const stop = new AbortController();
    const stopping = (connection: DuckDBConnection) => {
      const exporting = exportWindow(
        connection,
        window?.id ?? 0,
        'parquet',
        path.join(folder, 'cut'),
        stop.signal,
      );
      stop.abort(new Error('enough'));
      return exporting;
    };
    await expect(engine.withConnection(stopping)).rejects.toThrow('enough');
    await serve(someFiles.slice(1));
  });

  it('reports the path that it cannot write', async () => {
    await serve(someFiles);
    const [window] = await engine.withConnection(servedWindows);
    const target = path.join(folder, 'missing', 'file');
    await expect(
      engine.withConnection((connection) => exportWindow(connection, window?.id ?? 0, 'parquet', target)),
    ).rejects.toMatchObject({ code: 'QUERY_DATABASE_UNUSABLE', subject: { key: target } });
  });
});

describe('the export in the bucket', () => {
  /** Makes a bucket that records the keys of all writes. Write number `breakAt` (counted from 1) fails midway. */
  function watched(breakAt?: number) {
    const puts: string[] = [];
    const watching: Bucket = {
      ...bound(bucket),
      put: (key, body, options) => {
        puts.push(key);
        return bucket.put(key, puts.length === breakAt ? cut(body) : body, options);
      },
    };
    return { watching, puts };
  }

  /**
   * Copies a bucket to a plain object with the same methods. Object spread alone would not copy the methods, because
   * they are defined in a class.
   */
  function bound(of: Bucket): Bucket {
    return {
      type: of.type,
      label: of.label,
      list: of.list.bind(of),
      head: of.head.bind(of),
      get: of.get.bind(of),
      put: of.put.bind(of),
      create: of.create.bind(of),
      copy: of.copy.bind(of),
      delete: of.delete.bind(of),
      close: of.close.bind(of),
    };
  }

  async function* cut(body: Uint8Array | AsyncIterable<Uint8Array>) {
    if (body instanceof Uint8Array) yield body.subarray(0, body.length / 2);
    throw new Error('the line broke');
  }

  const logged: { level: string; event?: string }[] = [];
  const at = (level: string) => (fields: { event?: string }) => logged.push({ level, ...fields });
  const log = { info: at('info'), debug: at('debug') } as unknown as Log;

  function exportCombined(
    to: Bucket,
    signal = always.signal,
    heartbeat: (details: unknown) => void = () => undefined,
  ) {
    return createExportCombined({
      ...{ bucket: to, engine, format: 'parquet', log, heartbeat },
      signal: () => signal,
    })();
  }

  it('is written once only', async () => {
    await serve(someFiles);
    const first = watched();
    const beats: unknown[] = [];
    expect(await exportCombined(first.watching, always.signal, (beat) => beats.push(beat))).toEqual({
      ...{ windows: 4, written: 4, unchanged: 0, removed: 0 },
    });
    expect(first.puts).toHaveLength(5);
    expect(first.puts.every((key) => key.startsWith(`${exportPrefix}v1/`))).toBe(true);
    expect(beats).toContainEqual({ exported: 4, of: 4 });
    expect(logged.at(-1)).toMatchObject({
      level: 'info',
      ...{ event: 'export.done', generation: 7, windows: 4, written: 4 },
    });
    const files = filesThere();
    expect(files).toContain(`${exportPrefix}v1/schema.json`);
    const again = watched();
    expect(await exportCombined(again.watching)).toEqual({
      ...{ windows: 4, written: 0, unchanged: 4, removed: 0 },
    });
    expect(logged.at(-1)).toMatchObject({ level: 'debug', event: 'export.done' });
    expect(again.puts).toEqual([]);
    expect(filesThere()).toEqual(files);
  });

  it('replaces the file of a window that changed, and removes that of one that is gone', async () => {
    const [first, second, ...others] = someFiles;
    if (first === undefined || second === undefined) throw new Error('no golden files found');
    await serve(someFiles);
    await exportCombined(bucket);
    const before = filesThere();
    const set = decodeSet('allocations', readFileSync(path.join(golden.bingen, windowId(first))));
    const fewer = { ...set, allocations: new Map([...(set.allocations ?? [])].slice(1)) };
    const changed = wanted(first, encodeSet(fewer));
    await serve([changed, ...others]);
    expect(await exportCombined(bucket)).toEqual({ windows: 3, written: 1, unchanged: 2, removed: 1 });
    const after = filesThere();
    expect(after).toHaveLength(4);
    const added = after.filter((file) => !before.includes(file));
    expect(added).toEqual([
      expect.stringContaining(`/1794614400-1794700800-${changed.digest.slice(0, 12)}.parquet`),
    ]);
    expect(before.filter((file) => !after.includes(file))).toHaveLength(2);
    const [count] = await ask(`select count(*)::integer as rows from '${path.join(root, added[0] ?? '')}'`);
    expect(count?.['rows']).toBe(toColumns(fewer).rows);
  });

  it('leaves foreign files alone', async () => {
    await serve(someFiles.slice(0, 1));
    const foreign = ['v1/notes.txt', 'v1/parquet/allocations/_SUCCESS', 'v0/parquet/old', 'v1/csv/assets/x'];
    for (const name of foreign) await bucket.put(exportPrefix + name, Buffer.from('theirs'));
    await exportCombined(bucket);
    expect(filesThere(path.join(root, exportPrefix))).toEqual(expect.arrayContaining(foreign));
  });

  it('removes an old file of a window that an earlier export left behind', async () => {
    const [file] = someFiles;
    if (file === undefined) throw new Error('no golden files found');
    await serve([file]);
    await exportCombined(bucket);
    const [key = ''] = filesThere().filter((name) => name.endsWith('.parquet'));
    const old = key.replace(file.digest.slice(0, 12), '0123456789ab');
    await bucket.put(old, Buffer.from('old'));
    expect(await exportCombined(bucket)).toMatchObject({ written: 0, unchanged: 1 });
    expect(filesThere()).not.toContain(old);
    expect(filesThere()).toContain(key);
  });

  it('never has a partial file, wherever a write breaks; the next export resumes', async () => {
    await serve(someFiles);
    await expect(exportCombined(watched(4).watching)).rejects.toThrow('the line broke');
    const there = filesThere().filter((name) => name.endsWith('.parquet'));
    expect(there.length).toBeGreaterThan(0);
    expect(there.length).toBeLessThan(4);
    for (const name of there) {
      const [count] = await ask(`select count(*)::integer as rows from '${path.join(root, name)}'`);
      expect(count?.['rows']).toBeGreaterThan(0);
    }
    expect(await exportCombined(bucket)).toMatchObject({
      ...{ written: 4 - there.length, unchanged: there.length },
    });
  });

  it('ends when cancelled, leaving nothing in the temporary folder', async () => {
    const temporary = path.join(folder, 'temporary');
    mkdirSync(temporary);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    await serve(someFiles);
    const stop = new AbortController();
    const beat = () => stop.abort(new Error('cancelled'));
    try {
      await expect(exportCombined(bucket, stop.signal, beat)).rejects.toThrow('cancelled');
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
    expect(filesThere().filter((name) => name.endsWith('.parquet')).length).toBeLessThan(4);
  });

  it('is of the generation served at its end, if that changes during the export', async () => {
    const files = someFiles;
    await serve(files);
    let changing: Promise<unknown> | undefined;
    const slow: Bucket = {
      ...bound(bucket),
      put: async (key, body, options) => {
        changing ??= key.endsWith('.json') ? undefined : serve(files.slice(0, 2));
        await changing;
        return bucket.put(key, body, options);
      },
    };
    expect(await exportCombined(slow)).toMatchObject({ windows: 2 });
    expect(filesThere().filter((name) => name.endsWith('.parquet'))).toHaveLength(2);
  });

  it('throws QUERY_NO_DATA before the first generation is served', async () => {
    await expect(exportCombined(bucket)).rejects.toMatchObject({ code: 'QUERY_NO_DATA' });
  });
});
