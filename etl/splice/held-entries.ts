import { releaseBuffer } from '../release-buffer';
import type { Pipeline } from '../window';
import type { MergedStrings } from './merged-strings';
import type { Again, AgainRange, SplicedInput } from './spliced-input';
import type { FileWalker } from './walk-file';

export interface HoldOptions {
  /**
   * Maximum number of input bytes to keep in memory. The bytes of further inputs are freed, and read again when they
   * are needed. This limits the memory for records, but not for strings. (Default: all bytes are kept)
   */
  readonly mostHeld?: number;
  /**
   * Reads a byte range of an input again. Must return the same bytes as when the input was added. The splice may
   * overwrite the returned array.
   */
  readonly readAgain?: (again: AgainRange) => Uint8Array;
}

/**
 * Provides the entries of each input as bytes. The string indexes in these bytes refer to the merged file's string
 * table. The bytes are either kept in memory or read again, one input at a time.
 */
export class HeldEntries<P extends Pipeline> {
  private readonly mostHeld: number;
  private readonly readAgain: HoldOptions['readAgain'];
  private bytesHeld = 0;
  /** Buffers that contain the entries kept in memory. */
  private readonly wholes: Buffer[] = [];
  /**
   * The last input that was read again, with its bytes. They are kept because `bytesOf` is often called for the same
   * input several times in a row.
   */
  private lastRead: { readonly of: SplicedInput<P>; readonly bytes: Buffer } | undefined;

  constructor(
    private readonly walker: FileWalker<P>,
    private readonly strings: MergedStrings<P>,
    { mostHeld = Infinity, readAgain }: HoldOptions,
  ) {
    this.mostHeld = readAgain === undefined ? Infinity : mostHeld;
    this.readAgain = readAgain;
  }

  hasRoomFor(bytes: Buffer): boolean {
    return this.bytesHeld + bytes.length <= this.mostHeld;
  }

  /**
   * Keeps in memory the entries that `walker` has just walked over: `length` bytes of `whole`, starting at `first`.
   * Replaces each string index `i` in these bytes with `indexes[i]`.
   *
   * @returns the entries, as a view of `whole`
   */
  hold(whole: Buffer, first: number, length: number, indexes: Int32Array): Buffer {
    this.bytesHeld += whole.length;
    this.wholes.push(whole);
    const { walk, from, to } = this.walker;
    walk.renumber(from, to, indexes);
    return whole.subarray(first, first + length);
  }

  /** Returns the entries of an input as bytes. The string indexes in them refer to the merged file's string table. */
  bytesOf(input: SplicedInput<P>): Buffer {
    const { held } = input;
    if (held instanceof Uint8Array) return held;
    if (this.lastRead?.of === input) return this.lastRead.bytes;
    if (this.readAgain === undefined) throw new Error('There is nothing to read it again with.');
    if (this.lastRead !== undefined) releaseBuffer(this.lastRead.bytes);
    this.lastRead = undefined;
    const given = this.readAgain(held.range);
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    this.renumberAgain(input, held, bytes);
    this.lastRead = { of: input, bytes };
    return bytes;
  }

  /** Frees the memory of all entries immediately. */
  free(): void {
    for (const bytes of this.wholes) releaseBuffer(bytes);
    if (this.lastRead !== undefined) releaseBuffer(this.lastRead.bytes);
  }

  private renumberAgain(input: SplicedInput<P>, again: Again, bytes: Buffer): void {
    const { walker, strings } = this;
    walker.overAgain(bytes, again.strings, input.entries);
    if (again.by === 'index') {
      walker.walk.renumber(walker.from, walker.to, again.indexes);
    } else {
      strings.restoreIndexes(again.indexes);
      walker.walk.renumber(walker.from, walker.to, strings.indexes);
      strings.forgetIndexes();
    }
  }
}
