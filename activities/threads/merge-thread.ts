import { createHash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type Contribution, extractContribution } from '../../etl/contribution';
import { Splice, type SplicedMerge } from '../../etl/splice/splice';
import type { AgainRange, InputFacts } from '../../etl/splice/spliced-input';
import type { Pipeline, Window } from '../../etl/window';
import { type Shared, ThreadSide } from './exchange';

/* This module is the CPU work of a merge. It runs in a worker thread, does no I/O, and returns bad files as values. */

export interface SourceTask {
  readonly cluster: string;
  /**
   * If a file without records is to be refused: the number of records in the cluster's last good contribution;
   * otherwise 0.
   */
  readonly recordsBefore: number;
  /**
   * The cluster's contribution to the previous object. Set if the source has not changed and is read from that object.
   */
  readonly from?: Contribution;
}

export interface MergeTask {
  readonly pipeline: Pipeline;
  readonly window: Window;
  /** The sources, in merge order. */
  readonly sources: readonly SourceTask[];
  /** SHA-256 of the previous object. Set if any source is read from that object. */
  readonly previous?: string;
  /** Approximate size of all sources in bytes. */
  readonly bytes: number;
  /**
   * Maximum number of source bytes that stay in memory until the merge ends. The rest is requested again when needed.
   */
  readonly mostHeld: number;
}

/**
 * Requests of the thread:
 * - `head`: the start of the previous object, up to its first entry.
 * - `tail`: the rest of the previous object, after the last source that is read from it.
 * - `source`: the source at this position.
 * - `again`: bytes that the thread has received but did not keep.
 */
export type MergeQuestion =
  | { readonly ask: 'head' | 'tail' }
  | { readonly ask: 'source'; readonly source: number }
  | { readonly ask: 'again'; readonly again: AgainRange };

export interface MergeReply {
  /** Undefined if the source has changed since the plan was made. */
  readonly bytes?: Uint8Array;
  /** Bytes of the previous object that precede `bytes`. They are needed only for the digest of that object. */
  readonly skipped?: Uint8Array;
}

/** Message that the thread sends before the chunks of the merged file. */
export interface MergeBegun {
  readonly size: number;
  /** The ranges that will be requested again, in this order. */
  readonly again: readonly AgainRange[];
}

/** A source that cannot be merged. */
export interface BadSource {
  readonly cluster: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

export type MergeAnswer =
  /** Some sources are bad or have changed since the plan; nothing was merged. */
  | { readonly kind: 'refused'; readonly bad: readonly BadSource[]; readonly moved: readonly string[] }
  /** The previous object does not match its provenance. */
  | { readonly kind: 'previous-damaged'; readonly detail: string }
  | {
      readonly kind: 'merged';
      readonly size: number;
      /** SHA-256 of the merged file. */
      readonly digest: string;
      /** The contributions, in merge order. */
      readonly contributions: readonly Contribution[];
    };

/** Bytes per chunk of a merged file. */
const chunkSize = 2 * 1024 * 1024;

/** Requests and merges the sources of one window and sends the merged file, or reports which sources are bad. */
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
    const { bytes } = this.ask(question);
    if (bytes === undefined) {
      this.moved.push(source.cluster);
      return;
    }
    try {
      requireGood(this.splice.add(source.cluster, bytes), window, source);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { byte } = error.subject;
      const detail = byte === undefined ? error.detail : `${error.detail} (byte ${byte})`;
      this.bad.push({ cluster: source.cluster, code: error.code, detail });
    }
  }

  /** Requests the next bytes of the previous object, and adds them to the digest of that object. */
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

/** Cuts the bytes into chunks of `size` bytes. Each chunk has an `ArrayBuffer` of its own, which can be transferred. */
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

function requireGood(facts: InputFacts, window: Window, { recordsBefore }: SourceTask): void {
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
  /** The bytes of a merged object. */
  readonly bytes: Uint8Array;
  /** SHA-256 of the object according to its provenance. */
  readonly digest: string;
  readonly contributions: readonly Contribution[];
}

export type ExtractAnswer =
  | { readonly damaged: string }
  | {
      readonly damaged?: undefined;
      /** One file per contribution, in the same order. */
      readonly files: readonly { readonly bytes: Uint8Array; readonly digest: string }[];
    };

/** Extracts the contributions of clusters from a merged object, each as an ETL file. */
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
