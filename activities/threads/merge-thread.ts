import { createHash } from 'node:crypto';
import { type Contribution, extractContribution } from '../../etl/contribution';
import { Splice } from '../../etl/splice/splice';
import type { InputFacts } from '../../etl/splice/spliced-input';
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

/** Merges the sources of one window; or says which of them are bad, and merges nothing. Spends their bytes. */
export function merge({ pipeline, window, sources }: MergeTask): MergeAnswer {
  const splice = new Splice(
    pipeline,
    sources.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
  );
  const bad: BadSource[] = [];
  for (const source of sources) {
    try {
      requireGood(splice.add(source.cluster, source.bytes), window, source);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { byte } = error.subject;
      const detail = byte === undefined ? error.detail : `${error.detail} (byte ${byte})`;
      bad.push({ cluster: source.cluster, code: error.code, detail });
    }
  }
  if (bad.length > 0) return { bad };
  const { parts, byteLength, contributions } = splice.finish();
  const bytes = Buffer.concat(parts, byteLength);
  return { bytes, digest: digestOf(bytes), contributions };
}

function requireGood(facts: InputFacts, window: Window, { recordsBefore }: SourceBytes): void {
  const { start = window.start, end = window.end } = facts.window;
  if (start !== window.start || end !== window.end) {
    throw new FederationError('ETL_WRONG_WINDOW', {
      detail: `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`,
    });
  }
  if (recordsBefore > 0 && facts.records === 0) {
    throw new FederationError('SOURCE_EMPTIED', {
      detail: `The file has no records, where the cluster had ${recordsBefore} before.`,
    });
  }
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
