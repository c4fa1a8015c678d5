import { move, transferableSymbol, valueSymbol } from 'piscina';
import { FederationError } from '../../errors/federation-error';
import type { ErrorCode } from '../../errors/catalog';
import { decodeSet, scanAllocations } from '../../etl/file';
import type { EtlSet } from '../../etl/model';
import { setWindow } from '../../etl/set-facts';
import type { Pipeline, Window } from '../../etl/window';
import {
  type AllocationColumns,
  AllocationColumnsBuilder,
  toColumns,
  type WindowColumns,
} from '../../query/columns';

/** What runs in a worker thread: it reads an ETL file into columns. It does no I/O, and answers with values. */

export interface ReadTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  readonly bytes: Uint8Array;
  /** Where the columns go. What identifies an allocation is told there once. */
  readonly reader: string;
  /** Tell everything again: the reader does not know what was told before. */
  readonly anew: boolean;
}

export type ReadAnswer =
  | { readonly columns: WindowColumns }
  | { readonly columns?: undefined; readonly code: ErrorCode; readonly detail: string };

/** What this thread has told, and whom. */
let told = { reader: '', hashes: new Set<string>() };

/** Reads one window file, or says why it cannot be taken. */
export function read({ pipeline, window, bytes, reader, anew }: ReadTask): ReadAnswer {
  if (anew || told.reader !== reader) told = { reader, hashes: new Set() };
  try {
    const { set, columns } = pipeline === 'assets' ? readAssets(bytes) : readAllocations(bytes);
    const { start = window.start, end = window.end } = setWindow(set);
    if (end <= window.start || start >= window.end) {
      const detail = `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`;
      return { code: 'ETL_WRONG_WINDOW', detail };
    }
    return columns.pipeline === 'assets' ? { columns } : handOver({ columns });
  } catch (error) {
    // What was told of a file that is not taken did not arrive.
    told = { reader: '', hashes: new Set() };
    if (!(error instanceof FederationError)) throw error;
    return { code: error.code, detail: error.detail };
  }
}

function readAssets(bytes: Uint8Array): { set: EtlSet; columns: WindowColumns } {
  const set = decodeSet('assets', bytes);
  return { set, columns: toColumns(set) };
}

/** Record by record: a large window as objects would take ten times its bytes. */
function readAllocations(bytes: Uint8Array): { set: EtlSet; columns: WindowColumns } {
  let builder: AllocationColumnsBuilder | undefined;
  const keys = new Set<string>();
  let repeated = false;
  const set = scanWhole(bytes, (key, record, count) => {
    repeated ||= keys.has(key);
    keys.add(key);
    builder ??= new AllocationColumnsBuilder(count, told.hashes);
    if (record !== null) builder.add(record);
  });
  if (repeated) {
    // Of two records of one key the later stands, as everywhere.
    const whole = decodeSet('allocations', bytes);
    told = { reader: '', hashes: new Set() };
    return { set: whole, columns: toColumns(whole) };
  }
  return { set, columns: (builder ?? new AllocationColumnsBuilder(0)).finish() };
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

/** Large columns change hands instead of being copied. */
function handOver(answer: { columns: AllocationColumns }): ReadAnswer {
  const { numbers, hashes, identities, identityRows, identityEnds } = answer.columns;
  const buffers = [numbers, hashes, identities, identityRows, identityEnds].map(({ buffer }) => buffer);
  // The pool takes it apart: who called gets the answer.
  return move({ [transferableSymbol]: buffers, [valueSymbol]: answer }) as unknown as ReadAnswer;
}
