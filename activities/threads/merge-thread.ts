import { createHash } from 'node:crypto';
import { type Contribution, encodeMerged, extractContribution } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import type { SetOf } from '../../etl/model';
import { recordCount, setWindow } from '../../etl/set-facts';
import type { Pipeline, Window } from '../../etl/window';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';

/** What runs in a worker thread: the CPU work of a merge. It does no I/O, and answers with values, never with errors. */

export interface SourceBytes {
  readonly cluster: string;
  readonly bytes: Uint8Array;
  /** Records that the cluster's last good contribution had, where an empty file is to be refused; else 0. */
  readonly recordsBefore: number;
}

export interface MergeTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  /** In the order of folding. */
  readonly sources: readonly SourceBytes[];
}

/** A source that cannot be taken. */
export interface BadSource {
  readonly cluster: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

export type MergeAnswer =
  | { readonly bad: readonly BadSource[] }
  | {
      readonly bad?: undefined;
      readonly bytes: Uint8Array;
      /** SHA-256 of the bytes. */
      readonly digest: string;
      /** In the order of folding. */
      readonly contributions: readonly Contribution[];
    };

/** Merges the sources of one window; or says which of them are bad, and merges nothing. */
export function merge<P extends Pipeline>({
  pipeline,
  window,
  sources,
}: MergeTask & { pipeline: P }): MergeAnswer {
  const bad: BadSource[] = [];
  const inputs: { id: string; set: SetOf[P] }[] = [];
  for (const source of sources) {
    try {
      inputs.push({ id: source.cluster, set: goodSet(pipeline, window, source) });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { byte } = error.subject;
      const detail = byte === undefined ? error.detail : `${error.detail} (byte ${byte})`;
      bad.push({ cluster: source.cluster, code: error.code, detail });
    }
  }
  if (bad.length > 0) return { bad };
  const { bytes, contributions } = encodeMerged(mergeSets(pipeline, inputs));
  return { bytes, digest: digestOf(bytes), contributions };
}

function goodSet<P extends Pipeline>(pipeline: P, window: Window, source: SourceBytes): SetOf[P] {
  const set = decodeSet(pipeline, source.bytes);
  const { start = window.start, end = window.end } = setWindow(set);
  if (start !== window.start || end !== window.end) {
    throw new FederationError('ETL_WRONG_WINDOW', {
      detail: `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`,
    });
  }
  if (source.recordsBefore > 0 && recordCount(set) === 0) {
    throw new FederationError('SOURCE_EMPTIED', {
      detail: `The file has no records, where the cluster had ${source.recordsBefore} before.`,
    });
  }
  return set;
}

export interface ExtractTask {
  readonly pipeline: Pipeline;
  /** A merged object. */
  readonly bytes: Uint8Array;
  /** What its provenance says of its digest. */
  readonly digest: string;
  readonly contributions: readonly Contribution[];
}

export type ExtractAnswer =
  | { readonly damaged: string }
  | {
      readonly damaged?: undefined;
      /** One for each contribution, in their order. */
      readonly files: readonly { readonly bytes: Uint8Array; readonly digest: string }[];
    };

/** Takes clusters' contributions out of a merged object, as ETL files. */
export function extract({ pipeline, bytes, digest, contributions }: ExtractTask): ExtractAnswer {
  if (digestOf(bytes) !== digest)
    return { damaged: 'Its bytes are not those that its provenance describes.' };
  try {
    const files = contributions.map((contribution) => extractContribution(pipeline, bytes, contribution));
    return { files: files.map((file) => ({ bytes: file, digest: digestOf(file) })) };
  } catch (error) {
    if (error instanceof FederationError) return { damaged: error.detail };
    throw error;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
