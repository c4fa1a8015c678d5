import { crc32 } from 'node:zlib';
import { type FederationError, isFederationError } from '../errors/federation-error';
import { isGzipped, unpack } from '../etl/gzip';
import { corrupt } from '../etl/refusal';
import type { AgainRange } from '../etl/splice/spliced-input';
import type { WindowId } from '../etl/window';
import { absent, keptVersion } from '../federation/decision';
import { keptKey, objectKey } from '../federation/layout';
import type { Reuse } from '../federation/reuse';
import { discard } from '../storage/body';
import type { BucketReader, CallOptions, Version } from '../storage/bucket';
import { mostReads, readAll, readWhole } from '../storage/read-all';
import { storageError } from '../storage/store-failure';
import type { ExtractedFile } from './extract-contributions';
import { ReadAhead } from './read-ahead';
import type { MergeBegun, MergeQuestion, MergeReply } from './threads/merge-thread';
import type { WindowSource } from './window-sources';

/** Maximum size of a source, in bytes. No cluster writes a larger file for a window. */
const largestSource = 2 ** 30;

interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Thrown if a source file has been deleted or replaced since it was last looked up. */
export class SourceMoved extends Error {
  constructor(readonly source: WindowSource) {
    super(`${source.key} has changed.`);
  }
}

/**
 * Thrown if a source is gzipped and its unpacked size is unknown. `unmeasured` are all sources that have to be
 * measured.
 */
export class GzippedSource extends Error {
  constructor(readonly unmeasured: readonly WindowSource[]) {
    super('A source is gzipped.');
  }
}

/** Thrown if the previous object (the window's merged object in the last generation) does not match its provenance. */
export class PreviousDamaged extends Error {}

export interface MergeReadsInput {
  readonly bucket: BucketReader;
  readonly window: WindowId;
  /** The sources that are part of the merge, in merge order. */
  readonly sources: readonly WindowSource[];
  readonly reuse?: Reuse;
  /** Files that have already been restored, by cluster id. They are not read again. */
  readonly files?: ReadonlyMap<string, ExtractedFile>;
  readonly unpacking: Unpacking;
  readonly signal: AbortSignal;
}

/** Unpacked size of a source in bytes; `plain` if it is not gzipped; the error if its bytes are not those stored. */
export type UnpackedSize = number | 'plain' | FederationError;

/** What a merge knows about gzipped sources. */
export interface Unpacking {
  /** Maximum unpacked size of a source, in bytes. */
  readonly most: number;
  /**
   * The unpacked size in bytes of each measured source, by cluster id. The size is 0 if the source cannot be unpacked.
   */
  readonly sizes: ReadonlyMap<string, UnpackedSize>;
}

/**
 * Prefetches the inputs of one merge. Accepts a source file only in the version that was last looked up. Sources that
 * have not changed since the previous merge are not read: the previous merged object contains their data, and a single
 * request reads it. The caller must call `close`.
 */
export class MergeReads {
  private readonly ahead: ReadAhead<MergeReply>;
  private again: ReadAhead<MergeReply> | undefined;
  private inputsAgain: readonly number[] = [];
  private readonly previous: PreviousObject | undefined;

  constructor(private readonly input: MergeReadsInput) {
    const { bucket, reuse, signal, sources } = input;
    this.previous = reuse && new PreviousObject(bucket, reuse, { signal });
    this.ahead = new ReadAhead(
      sources.map((source) => {
        const contribution = reuse?.contributions.get(source.cluster);
        return contribution === undefined
          ? { bytes: source.size, read: () => this.readSource(source) }
          : { bytes: contribution.length, read: () => this.requirePrevious().take(contribution) };
      }),
    );
  }

  /** Answers a request of the merge thread. Throws SourceMoved, PreviousDamaged, or an error of the store. */
  async read(question: MergeQuestion): Promise<MergeReply> {
    switch (question.ask) {
      case 'head':
        return this.requirePrevious().head();
      case 'source':
        return this.plain(question.source, await this.ahead.take(question.source));
      case 'tail':
        return this.requirePrevious().tail();
      case 'again': {
        const place = this.inputsAgain.indexOf(question.again.input);
        return this.again === undefined || place < 0
          ? this.readAgain(question.again)
          : this.again.take(place);
      }
    }
  }

  /**
   * Receives the byte ranges that the merge thread will request a second time, in the order of these requests, so that
   * they can be read ahead.
   */
  begin({ again }: MergeBegun): void {
    this.inputsAgain = again.map(({ input }) => input);
    this.again = new ReadAhead(
      again.map((range) => ({ bytes: range.length, read: () => this.readAgain(range) })),
    );
  }

  async close(): Promise<void> {
    await this.previous?.close();
  }

  /** Throws GzippedSource if the name of an unmeasured source says that it is gzipped. */
  requireMeasured(): void {
    const unmeasured = this.unmeasured();
    if (unmeasured.some(({ key }) => key.endsWith('.gz'))) throw new GzippedSource(unmeasured);
  }

  /** Unpacks a source if it is gzipped. Only now, not when it is read ahead, so that only one is unpacked at a time. */
  private async plain(index: number, reply: MergeReply): Promise<MergeReply> {
    const { bytes } = reply;
    const source = this.input.sources[index];
    if (source === undefined || bytes === undefined || !isGzipped(bytes) || this.isReused(source))
      return reply;
    const { sizes, most } = this.input.unpacking;
    const length = sizes.get(source.cluster);
    if (typeof length !== 'number') throw new GzippedSource(this.unmeasured());
    try {
      const unpacked = await unpack(bytes, { offset: 0, length }, most);
      if (isGzipped(unpacked)) throw corrupt(0, 'The gzip stream holds another gzip stream.');
      return { bytes: unpacked };
    } catch (error) {
      if (isFederationError(error)) return { refused: { code: error.code, detail: error.detail } };
      throw error;
    }
  }

  /** Returns the sources that this merge reads from the clusters' files, and that have not been measured yet. */
  private unmeasured(): WindowSource[] {
    const { sources, files, unpacking } = this.input;
    return sources.filter(
      (source) =>
        !this.isReused(source) && files?.has(source.cluster) !== true && !unpacking.sizes.has(source.cluster),
    );
  }

  private isReused({ cluster }: WindowSource): boolean {
    return this.input.reuse?.contributions.has(cluster) === true;
  }

  private requirePrevious(): PreviousObject {
    if (this.previous === undefined) throw new TypeError('This merge has no previous object.');
    return this.previous;
  }

  private async readSource(source: WindowSource): Promise<MergeReply> {
    const known = this.input.files?.get(source.cluster);
    // The reply's buffer is transferred to the merge thread, so a copy is needed: a part may be asked for again.
    if (known !== undefined) return { bytes: Uint8Array.from(known.bytes) };
    const size = this.input.unpacking.sizes.get(source.cluster);
    if (isFederationError(size)) return { refused: damaged(size) };
    try {
      return { bytes: await this.readAt(source) };
    } catch (error) {
      if (error instanceof SourceMoved) return {};
      if (isFederationError(error, 'STORAGE_CORRUPT')) return { refused: damaged(error) };
      throw error;
    }
  }

  /** Reads a range again, until its bytes are the same as the first time: they may have changed on the way. */
  private async readAgain({ input, crc, ...range }: AgainRange): Promise<MergeReply> {
    const source = this.input.sources[input];
    if (source === undefined) throw new RangeError(`There is no source ${input}.`);
    for (let reads = 0; reads < mostReads; reads++) {
      const bytes = await this.readRange(source, range);
      if (crc32(bytes) === crc) return { bytes };
    }
    throw storageError('STORAGE_CORRUPT', source.key, 'Its bytes are not the same when they are read again.');
  }

  private async readRange(source: WindowSource, range: ByteRange): Promise<Uint8Array> {
    const { offset, length } = range;
    const known = this.input.files?.get(source.cluster);
    if (known !== undefined) return Uint8Array.from(known.bytes.subarray(offset, offset + length));
    if (this.isReused(source)) return this.requirePrevious().readAgain(range);
    const { sizes, most } = this.input.unpacking;
    return typeof sizes.get(source.cluster) === 'number'
      ? unpack(await this.readAt(source), range, most)
      : this.readAt(source, range);
  }

  private readAt(source: WindowSource, range?: ByteRange): Promise<Uint8Array> {
    return readVersion(this.input, source, range);
  }
}

/** Returns why a source whose bytes are not those that were stored is not merged. The next run reads it again. */
function damaged({ detail }: FederationError) {
  return { code: 'STORAGE_CORRUPT', detail: `Read ${mostReads} times: ${detail}` } as const;
}

/**
 * Reads a source, or a range of it, in the version that was last looked up. Throws SourceMoved if that version no
 * longer exists. Throws STORAGE_CORRUPT if the bytes of a whole source differ from its digest each time they are read.
 */
export async function readVersion(
  { bucket, window, signal }: Pick<MergeReadsInput, 'bucket' | 'window' | 'signal'>,
  source: WindowSource,
  range?: ByteRange,
): Promise<Uint8Array> {
  const kept = keptVersion(source.decision);
  const key = kept === undefined ? source.key : keptKey(source.cluster, window);
  const version = kept ?? source.seen;
  if (version === absent) throw new SourceMoved(source);
  try {
    const options = { signal, version, maxBytes: largestSource };
    const { bytes } = await (range === undefined
      ? readWhole(bucket, key, options)
      : readAll(bucket, key, { ...options, range }));
    return bytes;
  } catch (error) {
    throw isGone(error) ? new SourceMoved(source) : error;
  }
}

/** Returns whether an error means that the requested version of an object no longer exists. */
function isGone(error: unknown): error is FederationError {
  return isFederationError(error, 'STORAGE_CONFLICT') || isFederationError(error, 'STORAGE_NOT_FOUND');
}

/**
 * The previous merged object of the window. It is read once, in pieces from start to end. Only `readAgain` reads a part
 * a second time.
 */
class PreviousObject {
  private opened: Promise<{ version: Version; pieces: Pieces }> | undefined;
  private position = 0;
  /** Settles when the most recently requested piece has been read. Only then can the next one be read. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly bucket: BucketReader,
    private readonly reuse: Reuse,
    private readonly options: CallOptions,
  ) {}

  /** Reads the header and the string table, which precede the entries of the clusters. */
  head(): Promise<MergeReply> {
    const offsets = this.reuse.previous.sources.flatMap(({ contribution }) => contribution?.offset ?? []);
    return this.next(0, Math.min(...offsets));
  }

  /** Reads the entries of one cluster. Clusters must be requested in the order in which the object contains them. */
  take({ offset, length }: { offset: number; length: number }): Promise<MergeReply> {
    return this.next(offset, length);
  }

  tail(): Promise<MergeReply> {
    return this.next(this.reuse.previous.size, 0);
  }

  async readAgain(range: ByteRange): Promise<Uint8Array> {
    const { version } = await this.open();
    return this.orDamaged(
      async () => (await readAll(this.bucket, this.key, { ...this.options, version, range })).bytes,
    );
  }

  async close(): Promise<void> {
    const opened = await this.opened?.catch(() => undefined);
    await opened?.pieces.close();
  }

  private get key(): string {
    return objectKey(this.reuse.previous.fingerprint);
  }

  /**
   * Reads `length` bytes at an offset. If there are unread bytes before the offset, returns them as `skipped`.
   */
  private next(offset: number, length: number): Promise<MergeReply> {
    const taken = this.last.then(async () => {
      const { pieces } = await this.open();
      const gap = offset - this.position;
      const skipped = gap === 0 ? undefined : await pieces.take(gap);
      const bytes = await pieces.take(length);
      this.position = offset + length;
      return { bytes, skipped };
    });
    this.last = taken.catch(() => undefined);
    return taken;
  }

  private open(): Promise<{ version: Version; pieces: Pieces }> {
    this.opened ??= this.orDamaged(async () => {
      const { head, body } = await this.bucket.get(this.key, this.options);
      if (head.size === this.reuse.previous.size) return { version: head.version, pieces: new Pieces(body) };
      await discard(body);
      throw new PreviousDamaged(`It has ${head.size} bytes.`);
    });
    return this.opened;
  }

  private async orDamaged<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw isGone(error) ? new PreviousDamaged(error.detail) : error;
    }
  }
}

/** Reads a response body in pieces of given lengths. */
class Pieces {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array();

  constructor(private readonly body: AsyncIterable<Uint8Array>) {
    this.chunks = body[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Uint8Array> {
    const piece = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < length;) {
      if (this.rest.length === 0) {
        const next = await this.chunks.next();
        if (next.done === true) throw new PreviousDamaged('It ended early.');
        this.rest = next.value;
      }
      const part = this.rest.subarray(0, length - at);
      piece.set(part, at);
      at += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    return piece;
  }

  async close(): Promise<void> {
    await discard(this.body);
  }
}
