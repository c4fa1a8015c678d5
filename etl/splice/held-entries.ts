import { releaseBuffer } from '../release-buffer';
import type { Pipeline } from '../window';
import type { MergedStrings } from './merged-strings';
import type { Again, AgainRange, SplicedInput } from './spliced-input';
import type { FileWalker } from './walk-file';

export interface HoldOptions {
  /**
   * Maximal number of input bytes that are kept in memory until the end. The bytes of further inputs are freed and read
   * again later, so that the memory depends on the strings and not on the records. (Default: everything is kept)
   */
  readonly mostHeld?: number;
  /**
   * Reads a range of an input again. The bytes must be the same as when the input was added. The splice takes ownership
   * of the returned array.
   */
  readonly readAgain?: (again: AgainRange) => Uint8Array;
}

/**
 * Provides the entries of each input as bytes whose string indexes refer to the merged table. The bytes are either kept
 * in memory or read again, one input at a time.
 */
export class HeldEntries<P extends Pipeline> {
  private readonly mostHeld: number;
  private readonly readAgain: HoldOptions['readAgain'];
  private bytesHeld = 0;
  /** Buffers that contain the entries that are kept in memory. */
  private readonly wholes: Buffer[] = [];
  /**
   * The input that was last read again, with its bytes. They are kept because the slices of an input follow one another
   * in the merged file.
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
   * Keeps in memory the entries that were walked over last, after renumbering their string indexes.
   *
   * @returns the entries: `length` bytes of `whole`, starting at `first`
   */
  hold(whole: Buffer, first: number, length: number, indexes: Int32Array): Buffer {
    this.bytesHeld += whole.length;
    this.wholes.push(whole);
    const { walk, from, to } = this.walker;
    walk.renumber(from, to, indexes);
    return whole.subarray(first, first + length);
  }

  /** Returns the entries of an input. Their string indexes refer to the merged table. */
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

  /** Releases all memory at once. */
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
