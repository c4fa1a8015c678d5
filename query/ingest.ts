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
import type { NotFinite } from '../etl/not-finite';
import type { Pipeline, WindowRef } from '../etl/window';
import { type AllocationColumns, leadingNumbers } from './allocation-columns';
import { type Column, fillVector } from './append';
import { type AssetColumns, tableColumns } from './asset-columns';
import type { AssetValue } from './asset-fields';
import type { AllocationBatches, WindowColumns } from './columns';
import { type Database, rowsOf } from './database';
import { hashWords } from './hash-index';
import { type Entries, type Identity, writeHash } from './identity';
import { hashValue, type Numbers, readNumbers, workloadKey } from './numbers';
import { notePeak, type Peaks } from './peaks';
import { pipelineTables } from './pipeline-tables';
import { fillPlacements } from './placement';
import { fillWorkloads, findServedIdentities, rollUp } from './rollup';
import { storedMeasures } from './measures';
import { findTwins } from './twins';

/** A window file that is to be served. */
export interface WantedFile extends WindowRef {
  /** What its content is known by: another digest is another file. */
  readonly digest: string;
  /**
   * Reads it, whole or batch by batch, or throws why it cannot be taken. With `anew` no identity may be left out because
   * it was told before.
   */
  read(anew?: boolean): Promise<ReadWindow>;
}

export type ReadWindow = WindowColumns | AllocationBatches;

/** What is served from now on. */
export interface Serving {
  readonly generation?: number;
  readonly committedAt?: string;
  /** RFC 3339; it names what is served, and is another one each time. */
  readonly ingestedAt: string;
  /** What there is to know of it in every answer, a sentence each. */
  readonly notes?: readonly string[];
  /** Clusters that were taken out of it, and why. */
  readonly excluded?: readonly ExcludedCluster[];
}

/** A cluster that somebody took out of the federation. */
export interface ExcludedCluster {
  readonly cluster: string;
  readonly reason?: string;
}

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /** Called after each file. `added`: the files and rows added since the ingest began. */
  readonly progress?: (done: number, of: number, added: IngestedRows) => void;
}

/** What was added to the database. */
export interface IngestedRows {
  /** Files that were read; the others were there already. */
  readonly ingested: number;
  readonly rows: number;
}

export interface IngestSummary extends IngestedRows {
  readonly files: number;
}

/**
 * Fills the database. Each file is one transaction, so whatever ends an ingest, the next one goes on where it was; what
 * queries see changes in one more transaction, once all files are there. A file that cannot be taken ends the ingest,
 * and what was served stays served. One ingest at a time.
 */
export class Ingest {
  private readonly chunks = new Map<string, DuckDBDataChunk>();
  /** Those of the transaction, by table. */
  private readonly appenders = new Map<string, DuckDBAppender>();

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
    progress?.(done, wanted.length, { ingested: 0, rows });
    let next = readAhead(missing[0]);
    try {
      for (const [index, file] of missing.entries()) {
        signal?.throwIfAborted();
        const window = await next.window();
        const added = await this.add(file, window, () => (next = readAhead(missing[index + 1])), signal);
        rows += added.rows;
        known.set(keyOf(file), added.id);
        progress?.(++done, wanted.length, { ingested: index + 1, rows });
      }
    } finally {
      next.close();
    }
    const served = wanted.map((file) => known.get(keyOf(file)) ?? 0);
    await this.publish(served, serving);
    return { files: wanted.length, ingested: missing.length, rows };
  }

  close(): void {
    this.connection.closeSync();
  }

  /** @param taken called when all of the file was taken, and only its sums are to be made: the next one can be read. */
  private async add(
    file: WantedFile,
    window: ReadWindow,
    taken: () => void,
    signal?: AbortSignal,
  ): Promise<{ id: number; rows: number }> {
    try {
      return await this.addWindow(file, window, taken, signal);
    } catch (error) {
      if (!(error instanceof IdentityUnknown)) throw error;
      return this.addWindow(file, await file.read(true), taken, signal);
    }
  }

  private async addWindow(
    file: WantedFile,
    read: ReadWindow,
    taken: () => void,
    signal?: AbortSignal,
  ): Promise<{ id: number; rows: number }> {
    const peaks = new Map<string, number>();
    const id = ++this.numbers.lastFile;
    let rows = 0;
    await this.transaction(async () => {
      const { pipeline, resolution, window, digest } = file;
      if ('batches' in read) {
        for await (const columns of read.batches) {
          await this.addAllocations(id, columns, peaks, signal);
          rows += columns.rows;
        }
      } else {
        if (read.pipeline === 'allocations') await this.addAllocations(id, read, peaks, signal);
        else await this.addAssets(id, read, peaks, signal);
        rows = read.rows;
      }
      taken();
      this.finishAppending();
      if (read.pipeline === 'allocations') await this.connection.run(rollUp(peaks), [id]);
      await this.connection.run(contributions(read.pipeline, peaks), [id]);
      await this.connection.run(
        'insert into file values ($1, $2, $3, $4, $5, $6, map($7::varchar[], $8::double[]))',
        [
          ...[id, pipeline, resolution, window.start, window.end, digest],
          `[${[...peaks.keys()].join()}]`,
          `[${[...peaks.values()].join()}]`,
        ],
      );
    });
    return { id, rows };
  }

  /** Takes note of how large the numbers are. */
  private async addAllocations(
    file: number,
    columns: AllocationColumns,
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { rows, stride, numbers } = columns;
    const { identities, clusters, workloads } = await this.addIdentities(columns);
    const columnAt = (index: number) => numbers.subarray(index * stride, index * stride + rows);
    for (const [index, measure] of storedMeasures.entries())
      notePeak(peaks, measure, columnAt(leadingNumbers.length + index));
    const [starts, ends] = [columnAt(0), columnAt(1)];
    notePeak(
      peaks,
      'minutes',
      starts.map((start, row) => ((ends[row] ?? start) - start) / 60),
    );
    const maximum = (column: Float64Array) => (row: number) => {
      const value = column[row] ?? NaN;
      return Number.isNaN(value) ? null : value;
    };
    await this.append(
      'allocation',
      rows,
      [
        () => file,
        clusters,
        identities,
        ...leadingNumbers.map((_, index) => (index < 2 ? columnAt(index) : maximum(columnAt(index)))),
        ...storedMeasures.map((_, index) => columnAt(leadingNumbers.length + index)),
      ],
      signal,
    );
    const owner = (at: readonly number[]) => [
      () => file,
      (row: number) => clusters[at[row] ?? 0] ?? 0,
      (row: number) => identities[at[row] ?? 0] ?? 0,
    ];
    const workloadAt = (at: readonly number[]) => (row: number) => workloads[at[row] ?? 0] ?? 0;
    const { volumes, loadBalancers, gpus } = columns;
    notePeak(peaks, 'pvs.byteHours', volumes.byteHours);
    notePeak(peaks, 'pvs.cost', volumes.cost);
    notePeak(peaks, 'lbAllocations.hours', loadBalancers.hours);
    notePeak(peaks, 'lbAllocations.cost', loadBalancers.cost);
    await this.append('allocation_pv', volumes.row.length, [
      ...owner(volumes.row),
      workloadAt(volumes.row),
      (row) => volumes.cluster[row] ?? '',
      (row) => volumes.name[row] ?? '',
      (row) => volumes.providerID[row] ?? '',
      (row) => volumes.byteHours[row] ?? 0,
      (row) => volumes.cost[row] ?? 0,
    ]);
    await this.append('allocation_lb', loadBalancers.row.length, [
      ...owner(loadBalancers.row),
      workloadAt(loadBalancers.row),
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
    await this.addNotFinite(file, columns.notFinite);
  }

  private async addNotFinite(file: number, found: readonly NotFinite[]): Promise<void> {
    for (const { cluster, field, numbers } of found) {
      const number = await this.clusterNumber(cluster);
      await this.connection.run('insert into not_finite values ($1, $2, $3, $4)', [
        ...[file, number, field, numbers],
      ]);
    }
  }

  /** Finds or makes the identity of each row. Throws `IdentityUnknown` when one was neither known nor told. */
  private async addIdentities({ rows, hashes, ...told }: AllocationColumns) {
    const { numbers } = this;
    const identities = new Int32Array(rows);
    const clusters = new Int32Array(rows);
    const workloads = new Int32Array(rows);
    const text = bufferOf(told.identities);
    const made: {
      id: number;
      name: number;
      workload: number;
      cluster: number;
      hash: bigint;
      nameHash: bigint;
      identity: Identity;
    }[] = [];
    let next = 0;
    for (let row = 0; row < rows; row++) {
      const isTold = told.identityRows[next] === row;
      if (isTold) next++;
      let id = numbers.identities.get(hashes, row);
      if (id === 0) {
        if (!isTold) throw new IdentityUnknown();
        const from = next === 1 ? 0 : (told.identityEnds[next - 2] ?? 0);
        const identity = JSON.parse(text.toString('utf8', from, told.identityEnds[next - 1])) as Identity;
        id = ++numbers.lastIdentity;
        const cluster = await this.clusterNumber(identity.cluster);
        numbers.identities.set(hashes, row, id);
        numbers.clusterOf[id] = cluster;
        const workload = this.workloadNumber(identity);
        numbers.workloadOf[id] = workload;
        made.push({
          id,
          workload,
          cluster,
          hash: hashValue(hashes, row),
          ...this.nameNumber(identity),
          identity,
        });
      }
      identities[row] = id;
      clusters[row] = numbers.clusterOf[id] ?? 0;
      workloads[row] = numbers.workloadOf[id] ?? 0;
    }
    const of = (read: (identity: Identity) => DuckDBValue) => (row: number) => {
      const found = made[row];
      return found === undefined ? null : read(found.identity);
    };
    await this.append('identity', made.length, [
      (row) => made[row]?.id ?? 0,
      (row) => made[row]?.name ?? 0,
      (row) => made[row]?.workload ?? 0,
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
      (row) => made[row]?.hash ?? 0n,
      (row) => made[row]?.nameHash ?? 0n,
      (row) => (made[row]?.hash ?? 0n) & 0xff_ff_ff_ff_ff_ff_ff_ffn,
    ]);
    return { identities, clusters, workloads };
  }

  /** Takes note of how large the numbers are. */
  private async addAssets(
    file: number,
    columns: AssetColumns,
    peaks: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<void> {
    const clusters: number[] = [];
    for (const name of columns.clusters) clusters.push(await this.clusterNumber(name));
    for (const [index, { name }] of tableColumns.entries()) {
      const numbers = (columns.values[index] ?? []).flat().filter((value) => typeof value === 'number');
      notePeak(peaks, name, numbers);
    }
    const read = (values: readonly AssetValue[]) => (row: number) => assetValue(values[row] ?? null);
    await this.append(
      'asset',
      columns.rows,
      [() => file, (row) => clusters[row] ?? 0, ...columns.values.map(read)],
      signal,
    );
    await this.addNotFinite(file, columns.notFinite);
  }

  private async clusterNumber(name: string): Promise<number> {
    const known = this.numbers.clusters.get(name);
    if (known !== undefined) return known;
    const number = this.numbers.clusters.size + 1;
    await this.connection.run('insert into cluster values ($1, $2)', [number, name]);
    this.numbers.clusters.set(name, number);
    return number;
  }

  private workloadNumber(identity: Identity): number {
    const { workloads } = this.numbers;
    const key = workloadKey(identity);
    const number = workloads.get(key) ?? ++this.numbers.lastWorkload;
    workloads.set(key, number);
    return number;
  }

  private nameNumber({ cluster, node, namespace, pod, container }: Identity) {
    const { names } = this.numbers;
    // The parts so that no two lists of parts give the same text.
    const hash = new Uint32Array(hashWords);
    writeHash([cluster, node, namespace, pod, container].join('\0'), hash, 0);
    const known = names.get(hash, 0);
    const name = known === 0 ? ++this.numbers.lastName : known;
    if (known === 0) names.set(hash, 0, name);
    return { name, nameHash: hashValue(hash, 0) };
  }

  private async publish(
    served: readonly number[],
    { generation, committedAt, ingestedAt, excluded = [] }: Serving,
  ): Promise<void> {
    await this.transaction(async () => {
      for (const table of ['served', 'generation', 'excluded', 'twin', 'workload', 'placement'])
        await this.connection.run(`delete from ${table}`);
      await this.append('served', served.length, [(row) => served[row] ?? 0]);
      await this.connection.run('insert into generation values ($1, $2, $3)', [
        generation ?? null,
        committedAt ?? null,
        ingestedAt,
      ]);
      for (const { cluster, reason = '' } of excluded)
        await this.connection.run('insert into excluded values ($1, $2)', [cluster, reason]);
      this.finishAppending();
      await this.connection.run(findServedIdentities);
      await this.connection.run(findTwins);
      await this.connection.run(fillWorkloads);
      await this.connection.run(fillPlacements);
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
        'not_finite',
      ]) {
        await this.connection.run(`delete from ${table} where ${gone}`);
      }
      await this.connection.run('delete from file where id not in (select file from served)');
    });
    await this.sweepIdentities();
  }

  /** Most identities of a file that is gone are in the one that came for it: they are removed once they are many. */
  private async sweepIdentities(): Promise<void> {
    // Once what is stale is gone, no other is in use.
    const unused = 'id not in (select id from served_identity)';
    const [row] = await rowsOf(
      this.connection,
      `select count(*)::integer as identities, count(*) filter (${unused})::integer as unused from identity`,
    );
    if (Number(row?.['unused']) <= Number(row?.['identities']) / mostUnused) return;
    await this.transaction(async () => {
      await this.connection.run(`delete from identity where ${unused}`);
    });
    Object.assign(this.numbers, await readNumbers(this.connection));
  }

  /** What a failed transaction made is forgotten on our side too. */
  private async transaction(work: () => Promise<void>): Promise<void> {
    await this.connection.run('begin transaction');
    try {
      await work();
      this.finishAppending();
      await this.connection.run('commit');
    } catch (error) {
      this.forgetAppended();
      await this.connection.run('rollback').catch(() => undefined);
      // Without room it may not even be possible to read; the engine opens another ingest after an error anyway.
      await readNumbers(this.connection).then(
        (numbers) => Object.assign(this.numbers, numbers),
        () => undefined,
      );
      throw error;
    }
  }

  /** Appends rows, column by column; the event loop gets its turn between chunks. */
  private async append(
    table: string,
    rows: number,
    columns: readonly Column[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (rows === 0) return;
    const appender = this.appenders.get(table) ?? (await this.connection.createAppender(table));
    this.appenders.set(table, appender);
    const chunk = this.chunkOf(table, appender);
    for (let from = 0; from < rows; from += rowsPerChunk) {
      const count = Math.min(rowsPerChunk, rows - from);
      chunk.reset();
      chunk.rowCount = count;
      for (const [index, column] of columns.entries())
        fillVector(chunk.getColumnVector(index), column, from, count);
      appender.appendDataChunk(chunk);
      await setImmediate();
      signal?.throwIfAborted();
    }
    // An appender collects rows up to some 200,000, which the database then stores together. Texts are too large for that.
    if (table === 'identity') appender.flushSync();
  }

  /** Brings what was appended into the tables. */
  private finishAppending(): void {
    for (const [table, appender] of this.appenders) {
      this.appenders.delete(table);
      appender.closeSync();
    }
  }

  /** Else appenders would append what they have when they are collected as garbage, outside of the transaction. */
  private forgetAppended(): void {
    for (const appender of this.appenders.values()) {
      try {
        appender.clear();
        appender.closeSync();
      } catch {
        // It has failed before, and has nothing to append.
      }
    }
    this.appenders.clear();
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

/** A file that is being read. */
interface ReadAhead {
  /** What comes of it; throws what goes wrong with it. */
  window(): Promise<ReadWindow>;
  /** Gives up what was not taken. */
  close(): void;
}

/** Begins to read a file; what goes wrong with it is for whoever waits for it. */
function readAhead(file: WantedFile | undefined): ReadAhead {
  const reading = file?.read();
  reading?.catch(() => undefined);
  return {
    window: async () => {
      if (reading === undefined) throw new Error('There is no file to read.');
      return reading;
    },
    close: () => {
      reading?.then(
        (window) => 'close' in window && window.close(),
        () => undefined,
      );
    },
  };
}

/** An identity that whoever read the file has told before, to an ingest that came to nothing. */
class IdentityUnknown extends Error {}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Unused identities are kept while they are fewer than one in so many. */
const mostUnused = 4;

/** As many as a chunk can hold. */
const rowsPerChunk = 2_048;

function keyOf(file: WantedFile): string {
  const { start, end } = file.window;
  return fileKey({ ...file, window_start: start, window_end: end });
}

function fileKey(row: Readonly<Record<string, unknown>>): string {
  return [row['pipeline'], row['resolution'], row['window_start'], row['window_end'], row['digest']].join(
    ' ',
  );
}

/** Statement that fills in what each cluster contributes to a file; its parameter is the file's id. */
function contributions(pipeline: Pipeline, peaks: Peaks): string {
  const { records, cost } = pipelineTables[pipeline];
  return `insert into contribution select $1, cluster, count(*), ${cost(peaks)} from ${records} where file = $1 group by cluster`;
}

function toMap(entries: Entries) {
  return mapValue(entries.map(([key, value]) => ({ key, value })));
}

function assetValue(value: AssetValue): DuckDBValue {
  if (!Array.isArray(value)) return value;
  const isMap = value.length === 0 || Array.isArray(value[0]);
  return isMap ? toMap(value as [string, string][]) : arrayValue(value as number[]);
}
