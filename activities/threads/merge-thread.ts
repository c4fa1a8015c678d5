import { createHash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type Contribution, extractContribution } from '../../etl/contribution';
import { decodeSet } from '../../etl/file';
import { recordClusters } from '../../etl/set-facts';
import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { AgainRange, InputFacts } from '../../etl/splice/spliced-input';
import type { Pipeline, Window } from '../../etl/window';
import { type Shared, ThreadSide } from './exchange';

/*
 * The CPU work of a merge. This module runs in a worker thread and does no I/O. It reports bad files in its answer
 * instead of throwing errors.
 */

export interface SourceTask {
  readonly cluster: string;
  /**
   * The cluster's contribution to the window's previous merged object. Set only if the cluster's records are read from
   * the previous object instead of the source.
   */
  readonly from?: Contribution;
  /** If true, the thread does not merge the file. It only reports the cluster names in the file's records. */
  readonly examine?: boolean;
}

export interface MergeTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  /** The sources, in merge order. */
  readonly sources: readonly SourceTask[];
  /** SHA-256 of the previous merged object. Undefined if no source is read from the previous merged object. */
  readonly previous?: string;
  /** Approximate total size of the sources in bytes. */
  readonly bytes: number;
  /**
   * Maximum number of source bytes that the merge keeps in memory. Other bytes are requested a second time when needed.
   */
  readonly mostHeld: number;
}

/**
 * Requests of the merge thread:
 * - `head`: the start of the previous merged object, before the first cluster's entries.
 * - `tail`: the rest of the previous merged object, after the last source that is read from it.
 * - `source`: the source whose index is given in the field `source`.
 * - `again`: a range of bytes that the thread has already received but not kept.
 */
export type MergeQuestion =
  | { readonly ask: 'head' | 'tail' }
  | { readonly ask: 'source'; readonly source: number }
  | { readonly ask: 'again'; readonly again: AgainRange };

export interface MergeReply {
  /** The requested bytes. Undefined if the source has changed since its version was looked up. */
  readonly bytes?: Uint8Array;
  /** Why the requested source is damaged, or cannot be unpacked. */
  readonly refused?: Pick<BadSource, 'code' | 'detail'>;
  /**
   * Bytes of the previous merged object that precede `bytes`. They are needed only to compute the digest of that
   * object.
   */
  readonly skipped?: Uint8Array;
}

/** Message that the thread sends before the chunks of the merged file. */
export interface MergeBegun {
  readonly size: number;
  /** The byte ranges that will be requested a second time, in the order of the requests. */
  readonly again: readonly AgainRange[];
}

/** A source that cannot be merged, and the reason. */
export interface BadSource {
  readonly cluster: string;
  readonly code: ErrorCode;
  readonly detail: string;
  /**
   * The cluster names in the records of the file. Set only if the thread was asked to examine the file instead of
   * merging it.
   */
  readonly names?: readonly string[];
}

export type MergeAnswer =
  /** Some sources are bad, or have changed since their versions were looked up. So nothing was merged. */
  | { readonly kind: 'refused'; readonly bad: readonly BadSource[]; readonly moved: readonly string[] }
  /** The previous object does not match its provenance. */
  | { readonly kind: 'previous-damaged'; readonly detail: string }
  | {
      readonly kind: 'merged';
      readonly size: number;
      /** SHA-256 of the merged file. */
      readonly digest: string;
      /** The contribution of each source to the merged file, in merge order. */
      readonly contributions: readonly Contribution[];
    };

/** Size of a chunk of the merged file, in bytes. */
const chunkSize = 2 * 1024 * 1024;

/** Merges one window in the worker thread: requests its sources, then sends the merged file, or reports bad sources. */
export function merge(
  task: MergeTask & { readonly port: MessagePort; readonly shared: Shared },
): MergeAnswer {
  const other = new ThreadSide(task.port, task.shared);
  const window = new WindowSplice(task, other);
  try {
    return window.run();
  } finally {
    window.free();
    task.port.close();
  }
}

class WindowSplice {
  private readonly splice: Splice<Pipeline>;
  private readonly bad: BadSource[] = [];
  private readonly moved: string[] = [];
  private readonly previous = createHash('sha256');

  constructor(
    private readonly task: MergeTask,
    private readonly other: ThreadSide,
  ) {
    const { pipeline, bytes, mostHeld } = task;
    const readAgain = (again: AgainRange) => this.ask({ ask: 'again', again }).bytes ?? new Uint8Array();
    this.splice = new Splice(pipeline, { bytes, mostHeld, readAgain });
  }

  run(): MergeAnswer {
    const { sources, previous } = this.task;
    try {
      if (previous !== undefined) this.splice.usePrevious(Buffer.from(this.takePrevious({ ask: 'head' })));
      sources.forEach((source, index) => this.add(source, { ask: 'source', source: index }));
      if (previous !== undefined) this.takePrevious({ ask: 'tail' });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return { kind: 'previous-damaged', detail: error.detail };
    }
    if (previous !== undefined && this.previous.digest('hex') !== previous) {
      return {
        kind: 'previous-damaged',
        detail: 'Its bytes are not those that its provenance describes.',
      };
    }
    const { bad, moved } = this;
    if (bad.length + moved.length > 0) return { kind: 'refused', bad, moved };
    return this.give(this.splice.finish());
  }

  free(): void {
    this.splice.free();
  }

  private give({ parts, byteLength: size, contributions, again }: SplicedMerge): MergeAnswer {
    const begun: MergeBegun = { size, again };
    this.other.tell(begun);
    let digest = '';
    this.other.giveAgain(function* () {
      const hash = createHash('sha256');
      for (const chunk of inChunks(parts, size)) {
        hash.update(chunk);
        yield { chunk, transfer: [chunk.buffer] };
      }
      digest = hash.digest('hex');
    });
    return { kind: 'merged', size, digest, contributions };
  }

  private add(source: SourceTask, question: MergeQuestion): void {
    const { window } = this.task;
    if (source.from !== undefined) {
      const bytes = this.takePrevious(question);
      this.splice.addFrom(source.from, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return;
    }
    const { bytes, refused } = this.ask(question);
    if (refused !== undefined) {
      this.bad.push({ cluster: source.cluster, ...refused });
      return;
    }
    if (bytes === undefined) {
      this.moved.push(source.cluster);
      return;
    }
    try {
      if (source.examine) return void this.bad.push(this.examined(source, bytes));
      requireWindow(this.splice.add(source.cluster, bytes), window);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { byte } = error.subject;
      const detail = byte === undefined ? error.detail : `${error.detail} (byte ${byte})`;
      this.bad.push({ cluster: source.cluster, code: error.code, detail });
    }
  }

  private examined({ cluster }: SourceTask, bytes: Uint8Array): BadSource {
    const names = recordClusters(decodeSet(this.task.pipeline, bytes));
    return { cluster, code: 'CLUSTER_NAME_TAKEN', detail: '', names };
  }

  /** Requests more bytes of the previous merged object, and adds them to the digest of that object. */
  private takePrevious(question: MergeQuestion): Uint8Array {
    const { skipped, bytes = new Uint8Array() } = this.ask(question);
    if (skipped !== undefined) this.previous.update(skipped);
    this.previous.update(bytes);
    return bytes;
  }

  private ask(question: MergeQuestion): MergeReply {
    return this.other.ask<MergeReply>(question);
  }
}

/**
 * Copies the bytes into chunks of `chunkSize` bytes. `size` is the total number of bytes. Each chunk has its own
 * `ArrayBuffer`, so that it can be transferred to another thread.
 */
function* inChunks(parts: Iterable<Buffer>, size: number): Generator<Uint8Array> {
  let left = size;
  let chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, left));
  let filled = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length;) {
      const copied = part.copy(chunk, filled, at);
      at += copied;
      filled += copied;
      if (filled < chunk.length) continue;
      yield chunk;
      left -= filled;
      filled = 0;
      chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, left));
    }
  }
}

function requireWindow(facts: InputFacts, window: Window): void {
  const { start = window.start, end = window.end } = facts.window;
  if (start !== window.start || end !== window.end) {
    throw new FederationError('ETL_WRONG_WINDOW', {
      detail: `The file says that it holds ${start}-${end}, not ${window.start}-${window.end}.`,
    });
  }
}

export interface ExtractTask {
  readonly pipeline: Pipeline;
  /** The bytes of a merged object. */
  readonly bytes: Uint8Array;
  readonly contributions: readonly Contribution[];
}

export type ExtractAnswer =
  | { readonly damaged: string }
  | {
      readonly damaged?: undefined;
      /** One ETL file per contribution, in the same order. */
      readonly files: readonly { readonly bytes: Uint8Array; readonly digest: string }[];
    };

/** Extracts the contributions of some clusters from a merged object. Each becomes an ETL file. */
export function extract({ pipeline, bytes, contributions }: ExtractTask): ExtractAnswer {
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
