import { BroadcastChannel } from 'node:worker_threads';
import { FederationError } from '../../errors/federation-error';
import type { ErrorCode } from '../../errors/catalog';
import { decodeSet, scanAllocations } from '../../etl/file';
import { giveBack } from '../../etl/give-back';
import { gunzip, isGzipped } from '../../etl/gzip';
import type { Allocation, EtlSet } from '../../etl/model';
import { setWindow } from '../../etl/set-facts';
import type { Pipeline, Window } from '../../etl/window';
import {
  type AllocationColumns,
  AllocationColumnsBuilder,
  type AssetColumns,
  toColumns,
} from '../../query/columns';
import { HashIndex } from '../../query/hash-index';
import { awaitTurn, freeColumns } from './hand-over';

/** What runs in a worker thread: it reads an ETL file into columns. It does no I/O, and answers with values. */

export interface ReadTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  readonly bytes: Uint8Array;
  /** Where the columns go. What identifies an allocation is told there once. */
  readonly reader: string;
  /** Tell everything again: the reader does not know what was told before. */
  readonly anew: boolean;
  /** The broadcast channel that answers go to: the pool hands nothing over but bytes and the last answer. */
  readonly channel: string;
  /** How many batches may be on their way, see `hand-over.ts`. */
  readonly turns: Int32Array;
}

/**
 * What is sent: `assets` or `refused` alone; or `good`, then each batch, then `end`. All of a file is read before
 * anything of it is sent, so what is sent is good.
 */
export type ReadAnswer =
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string }
  | { readonly kind: 'assets'; readonly columns: AssetColumns }
  | { readonly kind: 'good' }
  | { readonly kind: 'batch'; readonly columns: AllocationColumns }
  | { readonly kind: 'end' };

/** One to two megabytes: little beside a large file, and so many that what a batch costs does not count. */
const rowsPerBatch = 4_096;

/** What this thread has told, and whom. */
let told = { reader: '', hashes: new HashIndex() };

/** Reads one window file, or says why it cannot be taken. */
export function read(task: ReadTask): void {
  if (task.anew || told.reader !== task.reader) told = { reader: task.reader, hashes: new HashIndex() };
  const channel = new BroadcastChannel(task.channel);
  const send = (answer: ReadAnswer) => channel.postMessage(answer);
  let whole = false;
  try {
    if (task.pipeline === 'assets') send(readAssets(task));
    else readAllocations(task, send);
    whole = true;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    send({ kind: 'refused', code: error.code, detail: error.detail });
  } finally {
    // What was told of a file that is not taken did not arrive.
    if (!whole) told = { reader: '', hashes: new HashIndex() };
    channel.close();
    giveBack(task.bytes);
  }
}

function readAssets({ bytes, window }: ReadTask): ReadAnswer {
  const set = decodeSet('assets', bytes);
  requireWindow(set, window);
  return { kind: 'assets', columns: toColumns(set) as AssetColumns };
}

/** Twice: what is wrong with a file may be at its end, and nothing of such a one is to arrive. */
function readAllocations({ bytes, window, turns }: ReadTask, send: (answer: ReadAnswer) => void): void {
  const plain = isGzipped(bytes) ? gunzip(bytes) : bytes;
  const repeated = checkAllocations(plain, window);
  send({ kind: 'good' });
  let builder: AllocationColumnsBuilder | undefined;
  const handOver = () => {
    if (builder === undefined) return;
    awaitTurn(turns);
    const columns = builder.finish();
    send({ kind: 'batch', columns });
    // What arrives is a copy.
    freeColumns(columns);
    builder = undefined;
  };
  eachAllocation(plain, repeated, (record, count) => {
    builder ??= new AllocationColumnsBuilder(Math.min(rowsPerBatch, count), told.hashes);
    builder.add(record);
    if (builder.full) handOver();
  });
  handOver();
  send({ kind: 'end' });
}

/** Reads a file to its end; returns whether a key comes twice. Throws when it cannot be taken. */
function checkAllocations(bytes: Uint8Array, window: Window): boolean {
  const keys = new Set<string>();
  let repeated = false;
  const set = scanWhole(bytes, (key) => {
    repeated ||= keys.has(key);
    keys.add(key);
  });
  requireWindow(set, window);
  return repeated;
}

/** Record by record: a large window as objects would take ten times its bytes. */
function eachAllocation(
  bytes: Uint8Array,
  repeated: boolean,
  visit: (record: Allocation, count: number) => void,
): void {
  if (repeated) {
    // Of two records of one key the later stands, as everywhere.
    const { allocations } = decodeSet('allocations', bytes);
    for (const record of allocations?.values() ?? [])
      if (record !== null) visit(record, allocations?.size ?? 0);
    return;
  }
  scanWhole(bytes, (_, record, count) => {
    if (record !== null) visit(record, count);
  });
}

function requireWindow(set: EtlSet, window: Window): void {
  const { start = window.start, end = window.end } = setWindow(set);
  if (end > window.start && start < window.end) return;
  throw new FederationError('ETL_WRONG_WINDOW', {
    detail: `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`,
  });
}

/** A file that cannot be scanned is read again as any other, which says best what is wrong with it. */
function scanWhole(bytes: Uint8Array, visit: Parameters<typeof scanAllocations>[1]): EtlSet {
  try {
    return scanAllocations(bytes, visit);
  } catch (error) {
    if (error instanceof FederationError) decodeSet('allocations', bytes);
    throw error;
  }
}
