import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { decodeSet, scanAllocations } from '../../etl/file';
import { gunzip, isGzipped } from '../../etl/gzip';
import type { Allocation, EtlSet } from '../../etl/model';
import { releaseBuffer } from '../../etl/release-buffer';
import { setWindow } from '../../etl/set-facts';
import type { Pipeline, Window } from '../../etl/window';
import { AllocationColumnsBuilder, columnArrays } from '../../query/allocation-columns';
import { toColumns, type WindowColumns } from '../../query/columns';
import { HashIndex } from '../../query/hash-index';
import { type Sent, type Shared, ThreadSide } from './exchange';

/** This module runs in a worker thread. It decodes the bytes of an ETL file into columns and does no I/O. */

export interface ReadTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  readonly bytes: Uint8Array;
  /** Maximum unpacked size of a gzipped file, in bytes. */
  readonly mostUnpacked: number;
  /** Id of the receiver of the columns. A thread sends the identity of an allocation to each receiver only once. */
  readonly reader: string;
  /** If true, every identity is sent again, because the receiver may have lost earlier ones. */
  readonly allIdentities: boolean;
}

/**
 * The first message from the thread, sent after it has checked the whole file. If the verdict is `good`, the columns
 * follow in chunks.
 */
export type ReadVerdict =
  { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string } | { readonly kind: 'good' };

/**
 * Number of rows in a batch. A batch of this many rows takes 1 to 2 MB. This is small compared with a large file, but
 * large enough to make the cost of sending a message negligible.
 */
const rowsPerBatch = 4_096;

/** Hashes of the allocation identities that this thread has already sent, and the id of their receiver. */
let sent = { reader: '', hashes: new HashIndex() };

/** Reads one window file and sends its columns, or sends the reason why the file cannot be used. */
export function read(task: ReadTask & { readonly port: MessagePort; readonly shared: Shared }): void {
  if (task.allIdentities || sent.reader !== task.reader)
    sent = { reader: task.reader, hashes: new HashIndex() };
  const other = new ThreadSide(task.port, task.shared);
  let whole = false;
  try {
    const columns = readers[task.pipeline](task);
    const verdict: ReadVerdict = { kind: 'good' };
    other.tell(verdict);
    other.give(columns);
    whole = true;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const verdict: ReadVerdict = { kind: 'refused', code: error.code, detail: error.detail };
    other.tell(verdict);
  } finally {
    // If sending has stopped halfway, the receiver may not have received all identities. So send all identities again
    // with the next file.
    if (!whole) sent = { reader: '', hashes: new HashIndex() };
    task.port.close();
    releaseBuffer(task.bytes);
  }
}

/** A function that sends the columns of a file. The file has already been checked. */
type SendColumns = (send: (chunk: Sent<WindowColumns>) => void) => void;

/**
 * One function for each pipeline. It checks a file, and throws an `ETL_*` error if the file cannot be used. Otherwise,
 * it returns a function that sends the file's columns.
 */
const readers: Readonly<Record<Pipeline, (task: ReadTask) => SendColumns>> = {
  allocations: readAllocations,
  assets: readAssets,
};

function readAssets({ bytes, window, mostUnpacked }: ReadTask): SendColumns {
  const set = decodeSet('assets', bytes, mostUnpacked);
  requireWindow(set, window);
  const columns = toColumns(set);
  return (send) => send({ chunk: columns, transfer: [] });
}

/**
 * Reads the file twice, because an error may be at its very end: the first pass checks the whole file, the second pass
 * sends its columns.
 */
function readAllocations({ bytes, window, mostUnpacked }: ReadTask): SendColumns {
  const plain = isGzipped(bytes) ? gunzip(bytes, mostUnpacked) : bytes;
  const repeated = checkAllocations(plain, window);
  return (send) => {
    let builder: AllocationColumnsBuilder | undefined;
    const sendBatch = () => {
      if (builder === undefined) return;
      const columns = builder.finish();
      builder = undefined;
      send({ chunk: columns, transfer: columnArrays(columns).map(({ buffer }) => buffer) });
    };
    eachAllocation(plain, repeated, (record, count) => {
      builder ??= new AllocationColumnsBuilder(Math.min(rowsPerBatch, count), sent.hashes);
      builder.add(record);
      if (builder.full) sendBatch();
    });
    sendBatch();
  };
}

/**
 * Reads a file to its end and returns whether any key occurs twice. Throws an `ETL_*` error if the file cannot be used.
 */
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

/**
 * Visits the records one at a time. Decoding all records at once would take ten times the size of the file in memory.
 */
function eachAllocation(
  bytes: Uint8Array,
  repeated: boolean,
  visit: (record: Allocation, count: number) => void,
): void {
  if (repeated) {
    // Of several records with the same key, only the last one counts. `decodeSet` drops the others.
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

/** Scans a whole file. If that fails, also decodes it, because the decoder's error message is more precise. */
function scanWhole(bytes: Uint8Array, visit: Parameters<typeof scanAllocations>[1]): EtlSet {
  try {
    return scanAllocations(bytes, visit);
  } catch (error) {
    if (error instanceof FederationError) decodeSet('allocations', bytes);
    throw error;
  }
}
