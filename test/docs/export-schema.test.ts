import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportServed } from '../../activities/export-combined';
import { decodeSet } from '../../etl/file';
import { pipelines } from '../../etl/window';
import { listWindowFiles } from '../../local-etl/list';
import { localEtl } from '../../local-etl/store';
import { toColumns } from '../../query/columns';
import { rowsOf } from '../../query/database';
import { QueryEngine } from '../../query/engine';
import { type ExportSchema, exportSchema } from '../../query/export';
import type { WantedFile } from '../../query/ingest';
import { openFilesystem } from '../../storage/drivers/filesystem';

const docs = path.join(__dirname, '../../docs');
const reference = readFileSync(path.join(docs, 'reference/export-schema.md'), 'utf8');
const guide = readFileSync(path.join(docs, 'guides/export.md'), 'utf8');
const golden = localEtl(path.join(__dirname, '../golden/expected/federated/combined/etl'));

/** Folder for the exported golden files (`out`), and for the database of the query engine that reads them. */
let folder: string;
let out: string;
let engine: QueryEngine;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'export-schema-'));
  out = path.join(folder, 'costs');
  mkdirSync(out);
  const database = { folder: path.join(folder, 'database'), memoryLimit: '256MB', threads: 2 };
  engine = await QueryEngine.open(database);
  const files: WantedFile[] = [];
  for await (const { ref, path: name } of listWindowFiles(golden)) {
    const bytes = readFileSync(path.join(golden.bingen, name));
    const digest = createHash('sha256').update(bytes).digest('hex');
    files.push({ ...ref, digest, read: async () => toColumns(decodeSet(ref.pipeline, bytes)) });
  }
  await engine.serve(files, { ingestedAt: 'once' });
  const bucket = openFilesystem({ directory: out });
  const signal = new AbortController().signal;
  await exportServed(engine, bucket, '', { format: 'parquet', prune: true, signal });
  await bucket.close();
});
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (sql: string) => engine.withConnection((connection) => rowsOf(connection, sql));

/** Returns the section of a Markdown page that has this heading. */
function section(page: string, heading: string): string {
  return page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

/** Lists the columns that are documented in the tables of a text. Each has a name, type, unit and meaning. */
function documented(text: string) {
  return [...text.matchAll(/^\| `([a-z_]+)` +\| `([^`]+)` +\| (.*?) *\| (.*?) *\|$/gm)].map(
    ([, name, type, unit, meaning]) => ({ name, type, unit, meaning }),
  );
}

describe.each(pipelines)('%s', (pipeline) => {
  const promised = exportSchema.tables[pipeline];

  it('are documented as they are promised', () => {
    expect(documented(section(reference, pipeline))).toEqual(promised);
  });

  it('are written as they are promised', async () => {
    const described = await ask(
      `describe select * from read_parquet('${out}/v1/parquet/${pipeline}/**/*.parquet', hive_partitioning = false)`,
    );
    expect(described.map((row) => [row['column_name'], row['column_type']])).toEqual(
      promised.map(({ name, type }) => [name, type]),
    );
  });

  it('have each name once, and none of the path', () => {
    const names = promised.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toEqual(expect.arrayContaining(['resolution', 'day']));
  });
});

describe('schema.json', () => {
  it('says what is promised', () => {
    const written = JSON.parse(readFileSync(path.join(out, 'v1/schema.json'), 'utf8')) as ExportSchema;
    expect(written).toEqual(exportSchema);
    expect(reference).toContain(`version ${written.version}.`);
  });

  it('has the columns of the path, which are documented', async () => {
    expect(documented(section(reference, 'Paths'))).toEqual(exportSchema.partitions);
    const described = await ask(
      `describe select resolution, day from read_parquet('${out}/v1/parquet/assets/**/*.parquet', hive_partitioning = true)`,
    );
    expect(described.map((row) => [row['column_name'], row['column_type']])).toEqual(
      exportSchema.partitions.map(({ name, type }) => [name, type]),
    );
  });

  it('names only types that the reference explains', () => {
    const types = new Set(
      Object.values(exportSchema.tables).flatMap((table) => table.map(({ type }) => type)),
    );
    const explained = [...section(reference, 'Types').matchAll(/^\| `([^`]+)` /gm)].map(([, type]) => type);
    expect(explained.sort()).toEqual([...types].sort());
  });
});

describe('docs/guides/export.md', () => {
  const codeOf = (heading: string) =>
    /```(?:sql|python)\n([\s\S]*?)```/.exec(section(guide, heading))?.[1] ?? '';
  const queries = codeOf('DuckDB')
    .split(';')
    .filter((query) => query.trim() !== '');

  it('has queries for DuckDB', () => expect(queries).toHaveLength(4));

  it.each(queries.map((query) => [/-- (.*)/.exec(query)?.[1] ?? '', query]))('runs: %s', async (_, query) => {
    const rows = await ask(query.replaceAll("'costs/", `'${out}/`));
    expect(rows.length).toBeGreaterThanOrEqual(5);
    for (const row of rows) expect(Object.values(row)).not.toContain(undefined);
  });

  it.each([
    ['Athena', { VARCHAR: 'string', 'MAP(VARCHAR, VARCHAR)': 'map<string,string>' }],
    ['Trino and Hive', { VARCHAR: 'varchar', 'MAP(VARCHAR, VARCHAR)': 'map(varchar, varchar)' }],
  ])('%s: declares columns that there are, by their types', (heading, types: Record<string, string>) => {
    const [, declared = ''] = /TABLE \S+ \(([\s\S]*?)\)\n(?:PARTITIONED|WITH)/.exec(codeOf(heading)) ?? [];
    const columns = [...declared.matchAll(/([a-z_]+) (map[<(][^>)]*[>)]|[a-z]+)/g)].map(
      ([, ...parts]) => parts,
    );
    expect(columns.length).toBeGreaterThan(5);
    const known = new Map<string, string>([
      ...exportSchema.tables.allocations.map(
        ({ name, type }) => [name, types[type] ?? type.toLowerCase()] as const,
      ),
      // The day is a partition column, so its value comes from the paths of the files. Some query engines cannot read a
      // date from a path. So the guide declares the day as text, which sorts in the same order.
      ...exportSchema.partitions.map(({ name }) => [name, types['VARCHAR'] ?? ''] as const),
    ]);
    for (const [name = '', type] of columns) expect([name, type]).toEqual([name, known.get(name)]);
  });

  it('names the paths that are written', () => {
    const [example = ''] = /v1\/parquet\/allocations\/resolution=1d\/\S+/.exec(guide) ?? [];
    expect(() => readFileSync(path.join(out, example))).not.toThrow();
  });
});
