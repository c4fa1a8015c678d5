import { move, transferableSymbol, valueSymbol } from 'piscina';
import { FederationError } from '../../errors/federation-error';
import type { ErrorCode } from '../../errors/catalog';
import { decodeSet } from '../../etl/file';
import { setWindow } from '../../etl/set-facts';
import type { Pipeline, Window } from '../../etl/window';
import { toColumns, type WindowColumns } from '../../query/columns';

/** What runs in a worker thread: it reads an ETL file into columns. It does no I/O, and answers with values. */

export interface ReadTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  readonly bytes: Uint8Array;
}

export type ReadAnswer =
  | { readonly columns: WindowColumns }
  | { readonly columns?: undefined; readonly code: ErrorCode; readonly detail: string };

/** Reads one window file, or says why it cannot be taken. */
export function read({ pipeline, window, bytes }: ReadTask): ReadAnswer {
  try {
    const set = decodeSet(pipeline, bytes);
    const { start = window.start, end = window.end } = setWindow(set);
    if (end <= window.start || start >= window.end) {
      const detail = `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`;
      return { code: 'ETL_WRONG_WINDOW', detail };
    }
    return handOver({ columns: toColumns(set) });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return { code: error.code, detail: error.detail };
  }
}

/** Large columns change hands instead of being copied. */
function handOver(answer: { columns: WindowColumns }): ReadAnswer {
  const { columns } = answer;
  if (columns.pipeline === 'assets') return answer;
  const buffers = [columns.numbers, columns.hashes, columns.identities, columns.identityEnds];
  const movable = {
    [transferableSymbol]: buffers.map(({ buffer }) => buffer),
    [valueSymbol]: answer,
  };
  // The pool takes it apart: who called gets the answer.
  return move(movable) as unknown as ReadAnswer;
}
