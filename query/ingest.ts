import { setImmediate } from 'node:timers/promises';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBValue,
  arrayValue,
  listValue,
  mapValue,
} from '@duckdb/node-api';
import type { WindowRef } from '../etl/window';
import {
  type AllocationColumns,
  type AssetColumns,
  type AssetValue,
  type Entries,
  hashLength,
  type Identity,
  leadingNumbers,
  type WindowColumns,
} from './columns';
import { type Database, rowsOf } from './database';
import { rollUp } from './rollup';
import { storedMeasures } from './schema';
import { findTwins } from './twins';

/** A window file that is to be served. */
export interface WantedFile extends WindowRef {
  /** What its content is known by: another digest is another file. */
  readonly digest: string;
  /** Reads it, or throws why it cannot be taken. With `anew` no identity may be left out because it was told before. */
  read(anew?: boolean): Promise<WindowColumns>;
}

/** What is served from now on. */
export interface Serving {
  readonly generation?: number;
  readonly committedAt?: string;
  /** RFC 3339; it names what is served, and is another one each time. */
  readonly ingestedAt: string;
  /** What there is to know of it in every answer, a sentence each. */
  readonly notes?: readonly string[];
}

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /** Called after each file. */
  readonly progress?: (done: number, of: number) => void;
}

export interface IngestSummary {
  readonly files: number;
  /** Files that were read; the others were there already. */
  readonly ingested: number;
  readonly rows: number;
}

/**
 * Fills the database. Each file is one transaction, so whatever ends an ingest, the next one goes on where it was; what
 * queries see changes in one more transaction, once all files are there. A file that cannot be taken ends the ingest,
 * and what was served stays served. One ingest at a time.
 */
export class Ingest {
  private readonly chunks = new Map<string, DuckDBDataChunk>();

  private constructor(
    private readonly connection: DuckDBConnection,
    private readonly numbers: Numbers,
  ) {}

  static async open(database: Database): Promise<Ingest> {
    const connection = await database.connect();
    return new Ingest(connection, await readNumbers(connection));
  }

  /** Makes these files what is served. */
  async serve(
    wanted: readonly WantedFile[],
    serving: Serving,
    options: IngestOptions = {},
  ): Promise<IngestSummary> {
    const { signal, progress } = options;
    const known = new Map<string, number>();
    for (const row of await rowsOf(this.connection, 'select * from file'))
      known.set(fileKey(row), Number(row['id']));
    const missing = wanted.filter((file) => !known.has(keyOf(file)));
    let rows = 0;
    let done = wanted.length - missing.length;
    progress?.(done, wanted.length);
    // While one file goes into the tables, the next one is read.
    let next = readAhead(missing[0]);
    for (const [index, file] of missing.entries()) {
      signal?.throwIfAborted();
      const columns = await next();
      next = readAhead(missing[index + 1]);
      const id = ++this.numbers.lastFile;
      rows += await this.add(id, file, columns, signal);
      known.set(keyOf(file), id);
      progress?.(++done, wanted.length);
    }
    const served = wanted.map((file) => known.get(keyOf(file)) ?? 0);
    await this.publish(served, serving);
    return { files: wanted.length, ingested: missing.length, rows };
  }

  close(): void {
    this.connection.closeSync();
  }

  private async add(
    id: number,
    file: WantedFile,
    columns: WindowColumns,
    signal?: AbortSignal,
  ): Promise<number> {
    try {
      return await this.addColumns(id, file, columns, signal);
    } catch (error) {
      if (!(error instanceof IdentityUnknown)) throw error;
      return this.addColumns(id, file, await file.read(true), signal);
    }
  }

  private async addColumns(
    id: number,
    file: WantedFile,
    columns: WindowColumns,
    signal?: AbortSignal,
  ): Promise<number> {
    await this.transaction(async () => {
      const { pipeline, resolution, window, digest } = file;
      const counts =
        columns.pipeline === 'allocations'
          ? await this.addAllocations(id, columns, signal)
          : await this.addAssets(id, columns, signal);
      const clusters = [...counts];
      await this.append('contribution', clusters.length, [
        () => id,
        (row) => clusters[row]?.[0] ?? 0,
        (row) => clusters[row]?.[1] ?? 0,
      ]);
      if (columns.pipeline === 'allocations') await this.connection.run(rollUp, [id]);
      await this.connection.run('insert into file values ($1, $2, $3, $4, $5, $6)', [
        id,
        pipeline,
        resolution,
        window.start,
        window.end,
        digest,
      ]);
    });
    return columns.rows;
  }

  /** Returns how many records there are of each cluster. */
  private async addAllocations(
    file: number,
    columns: AllocationColumns,
    signal?: AbortSignal,
  ): Promise<Map<number, number>> {
    const { rows, stride, numbers } = columns;
    const { identities, clusters } = await this.addIdentities(columns);
    const columnAt = (index: number) => numbers.subarray(index * stride, index * stride + rows);
    const leading = leadingNumbers.map((_, index) => columnAt(index));
    const measures = storedMeasures.map((_, index) => columnAt(leadingNumbers.length + index));
    await this.append(
      'allocation',
      rows,
      [
        () => file,
        (row) => clusters[row] ?? 0,
        (row) => identities[row] ?? 0,
        ...leading.map((column, index) => (row: number) => {
          const value = column[row] ?? 0;
          return index >= 2 && Number.isNaN(value) ? null : value;
        }),
        ...measures.map((column) => (row: number) => column[row] ?? 0),
      ],
      signal,
    );
    const owner = (at: readonly number[]) => [
      () => file,
      (row: number) => clusters[at[row] ?? 0] ?? 0,
      (row: number) => identities[at[row] ?? 0] ?? 0,
    ];
    const { volumes, loadBalancers, gpus } = columns;
    await this.append('allocation_pv', volumes.row.length, [
      ...owner(volumes.row),
      (row) => volumes.cluster[row] ?? '',
      (row) => volumes.name[row] ?? '',
      (row) => volumes.providerID[row] ?? '',
      (row) => volumes.byteHours[row] ?? 0,
      (row) => volumes.cost[row] ?? 0,
    ]);
    await this.append('allocation_lb', loadBalancers.row.length, [
      ...owner(loadBalancers.row),
      (row) => loadBalancers.key[row] ?? '',
      (row) => loadBalancers.service[row] ?? '',
      (row) => loadBalancers.ip[row] ?? '',
      (row) => loadBalancers.private[row] ?? false,
      (row) => loadBalancers.hours[row] ?? 0,
      (row) => loadBalancers.cost[row] ?? 0,
    ]);
    await this.append('allocation_gpu', gpus.row.length, [
      ...owner(gpus.row),
      (row) => gpus.device[row] ?? '',
      (row) => gpus.model[row] ?? '',
      (row) => gpus.uuid[row] ?? '',
      (row) => gpus.shared[row] ?? null,
    ]);
    return countsOf(clusters);
  }

  /** Finds or makes the identity of each row. Throws `IdentityUnknown` when one was neither known nor told. */
  private async addIdentities({ rows, hashes, ...told }: AllocationColumns) {
    const identities = new Int32Array(rows);
    const clusters = new Int32Array(rows);
    const text = bufferOf(told.identities);
    const hash = bufferOf(hashes);
    const made: { id: number; name: number; cluster: number; hash: string; identity: Identity }[] = [];
    let next = 0;
    for (let row = 0; row < rows; row++) {
      const key = hash.toString('latin1', row * hashLength, (row + 1) * hashLength);
      const isTold = told.identityRows[next] === row;
      if (isTold) next++;
      let known = this.numbers.identities.get(key);
      if (known === undefined) {
        if (!isTold) throw new IdentityUnknown();
        const from = next === 1 ? 0 : (told.identityEnds[next - 2] ?? 0);
        const identity = JSON.parse(text.toString('utf8', from, told.identityEnds[next - 1])) as Identity;
        const cluster = await this.clusterNumber(identity.cluster);
        known = { id: ++this.numbers.lastIdentity, cluster };
        this.numbers.identities.set(key, known);
        made.push({ ...known, name: this.nameNumber(identity), hash: key, identity });
      }
      identities[row] = known.id;
      clusters[row] = known.cluster;
    }
    const of = (read: (identity: Identity) => DuckDBValue) => (row: number) => {
      const found = made[row];
      return found === undefined ? null : read(found.identity);
    };
    await this.append('identity', made.length, [
      (row) => made[row]?.id ?? 0,
      (row) => made[row]?.name ?? 0,
      (row) => made[row]?.cluster ?? 0,
      of(({ cluster }) => cluster),
      of(({ node }) => node),
      of(({ namespace }) => namespace),
      of(({ pod }) => pod),
      of(({ container }) => container),
      of(({ controller }) => controller),
      of(({ controllerKind }) => controllerKind),
      of(({ providerID }) => providerID),
      of(({ services }) => listValue([...services])),
      of(({ labels }) => toMap(labels)),
      of(({ annotations }) => toMap(annotations)),
      of(({ namespaceLabels }) => toMap(namespaceLabels)),
      of(({ namespaceAnnotations }) => toMap(namespaceAnnotations)),
      of(({ plain }) => plain),
      (row) => made[row]?.hash ?? '',
    ]);
    return { identities, clusters };
  }

  private async addAssets(
    file: number,
    columns: AssetColumns,
    signal?: AbortSignal,
  ): Promise<Map<number, number>> {
    const clusters: number[] = [];
    for (const name of columns.clusters) clusters.push(await this.clusterNumber(name));
    const read = (values: readonly AssetValue[]) => (row: number) => assetValue(values[row] ?? null);
    await this.append(
      'asset',
      columns.rows,
      [() => file, (row) => clusters[row] ?? 0, ...columns.values.map(read)],
      signal,
    );
    return countsOf(clusters);
  }

  private async clusterNumber(name: string): Promise<number> {
    const known = this.numbers.clusters.get(name);
    if (known !== undefined) return known;
    const number = this.numbers.clusters.size + 1;
    await this.connection.run('insert into cluster values ($1, $2)', [number, name]);
    this.numbers.clusters.set(name, number);
    return number;
  }

  private nameNumber({ cluster, node, namespace, pod, container }: Identity): number {
    const name = nameOf([cluster, node, namespace, pod, container]);
    const number = this.numbers.names.get(name) ?? this.numbers.names.size + 1;
    this.numbers.names.set(name, number);
    return number;
  }

  private async publish(
    served: readonly number[],
    { generation, committedAt, ingestedAt }: Serving,
  ): Promise<void> {
    await this.transaction(async () => {
      await this.connection.run('delete from served; delete from generation; delete from twin');
      await this.append('served', served.length, [(row) => served[row] ?? 0]);
      await this.connection.run('insert into generation values ($1, $2, $3)', [
        generation ?? null,
        committedAt ?? null,
        ingestedAt,
      ]);
      await this.connection.run(findTwins);
    });
    await this.sweep();
  }

  /** Removes what no longer is served. Queries that began before still see it. */
  private async sweep(): Promise<void> {
    const gone = 'file not in (select file from served)';
    const [stale] = await rowsOf(
      this.connection,
      `select count(*)::integer as files from file where id not in (select file from served)`,
    );
    if (stale?.['files'] === 0) return;
    await this.transaction(async () => {
      for (const table of [
        'allocation',
        'allocation_pv',
        'allocation_lb',
        'allocation_gpu',
        'asset',
        'rollup',
        'contribution',
      ]) {
        await this.connection.run(`delete from ${table} where ${gone}`);
      }
      await this.connection.run('delete from file where id not in (select file from served)');
    });
  }

  /** What a failed transaction made is forgotten on our side too. */
  private async transaction(work: () => Promise<void>): Promise<void> {
    await this.connection.run('begin transaction');
    try {
      await work();
      await this.connection.run('commit');
    } catch (error) {
      await this.connection.run('rollback').catch(() => undefined);
      Object.assign(this.numbers, await readNumbers(this.connection));
      throw error;
    }
  }

  /** Appends rows, column by column; the event loop gets its turn between chunks. */
  private async append(
    table: string,
    rows: number,
    columns: readonly ((row: number) => DuckDBValue)[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (rows === 0) return;
    const appender = await this.connection.createAppender(table);
    const chunk = this.chunkOf(table, appender);
    for (let from = 0, chunks = 1; from < rows; from += rowsPerChunk, chunks++) {
      const count = Math.min(rowsPerChunk, rows - from);
      chunk.reset();
      chunk.rowCount = count;
      for (const [index, value] of columns.entries()) {
        const vector = chunk.getColumnVector(index);
        for (let row = 0; row < count; row++) vector.setItem(row, value(from + row));
        vector.flush();
      }
      appender.appendDataChunk(chunk);
      if (chunks % chunksPerFlush === 0) appender.flushSync();
      await setImmediate();
      signal?.throwIfAborted();
    }
    appender.closeSync();
  }

  /** One chunk for all appends to a table: native memory of new ones would wait for the garbage collector. */
  private chunkOf(table: string, appender: DuckDBAppender): DuckDBDataChunk {
    const known = this.chunks.get(table);
    if (known !== undefined) return known;
    const types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
    const chunk = DuckDBDataChunk.create(types, rowsPerChunk);
    this.chunks.set(table, chunk);
    return chunk;
  }
}

/** Begins to read a file; what comes of it, or goes wrong with it, is for whoever waits for it. */
function readAhead(file: WantedFile | undefined): () => Promise<WindowColumns> {
  const reading = file?.read();
  reading?.catch(() => undefined);
  return async () => {
    if (reading === undefined) throw new Error('There is no file to read.');
    return reading;
  };
}

/** An identity that whoever read the file has told before, to an ingest that came to nothing. */
class IdentityUnknown extends Error {}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** As many as a chunk can hold. */
const rowsPerChunk = 2_048;
/** About as many rows as the database stores together. */
const chunksPerFlush = 60;

/** The numbers that stand for texts, so that equal ones are stored once. */
interface Numbers {
  lastFile: number;
  lastIdentity: number;
  readonly clusters: Map<string, number>;
  readonly names: Map<string, number>;
  readonly identities: Map<string, { id: number; cluster: number }>;
}

async function readNumbers(connection: DuckDBConnection): Promise<Numbers> {
  const [last] = await rowsOf(
    connection,
    'select coalesce((select max(id) from file), 0) as file, coalesce((select max(id) from identity), 0) as identity',
  );
  const numbers: Numbers = {
    lastFile: Number(last?.['file']),
    lastIdentity: Number(last?.['identity']),
    clusters: new Map(),
    names: new Map(),
    identities: new Map(),
  };
  for (const row of await rowsOf(connection, 'select id, name from cluster')) {
    numbers.clusters.set(String(row['name']), Number(row['id']));
  }
  const identities =
    'select id, name, cluster, cluster_name, node, namespace, pod, container, hash from identity';
  for (const row of await rowsOf(connection, identities)) {
    numbers.identities.set(String(row['hash']), { id: Number(row['id']), cluster: Number(row['cluster']) });
    const parts = ['cluster_name', 'node', 'namespace', 'pod', 'container'].map((part) => String(row[part]));
    numbers.names.set(nameOf(parts), Number(row['name']));
  }
  return numbers;
}

/** The parts of a name, so that no two lists of parts give the same text. */
function nameOf(parts: readonly string[]): string {
  return parts.join('\0');
}

function keyOf(file: WantedFile): string {
  const { start, end } = file.window;
  return fileKey({ ...file, window_start: start, window_end: end });
}

function fileKey(row: Readonly<Record<string, unknown>>): string {
  return [row['pipeline'], row['resolution'], row['window_start'], row['window_end'], row['digest']].join(
    ' ',
  );
}

function countsOf(clusters: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (let row = 0; row < clusters.length; row++) {
    const cluster = clusters[row] ?? 0;
    counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  }
  return counts;
}

function toMap(entries: Entries) {
  return mapValue(entries.map(([key, value]) => ({ key, value })));
}

function assetValue(value: AssetValue): DuckDBValue {
  if (!Array.isArray(value)) return value;
  const isMap = value.length === 0 || Array.isArray(value[0]);
  return isMap ? toMap(value as [string, string][]) : arrayValue(value as number[]);
}
