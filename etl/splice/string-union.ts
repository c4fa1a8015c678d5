import type { ByteString } from '../byte-string';
import { releaseBuffer } from '../release-buffer';
import { magic } from '../string-table';

/** Position of the first string in a table, after the magic number and the number of strings. */
const head = 8;
/**
 * Typical size in bytes of a string in a file of assets, including the string's length field. Strings in files of
 * allocations are shorter.
 */
const usualEntry = 53;
/** Maximum size of a string table in bytes, because offsets are stored in 32 bits. Real tables are far smaller. */
const largest = 2 ** 31 - 1;

/** Number of strings that are hashed before the first of them is looked up in the hash table. */
const batch = 1024;

/** The string table of a file, which is read in place and not copied. */
export interface TableView {
  /** Bytes that start with the table. The rest of the file may follow. */
  readonly bytes: Buffer;
  /** A DataView of `bytes`. */
  readonly view: DataView;
  /**
   * Position of each string's table entry, by string index, followed by the position where the last entry ends. An
   * entry consists of a 16-bit length and the string's bytes.
   */
  readonly starts: Int32Array;
}

/** Returns the string with the given index in a table. */
export function textOf({ bytes, starts }: TableView, index: number): ByteString {
  return bytes.toString('latin1', starts[index]! + 2, starts[index + 1]);
}

export interface UnionOptions {
  /** Expected size of all strings together, in bytes. Affects only speed. */
  bytes?: number;
  /**
   * Maximum number of hash table slots to try for a string. If none of them is free, the string goes into an overflow
   * map.
   */
  longestProbe?: number;
}

/**
 * The growing string table of a merged file. It contains each string once, in the order in which the strings were
 * added. It works on bytes and creates no JS strings. Tenants choose some of the strings, and could choose them so that
 * their hashes collide. Therefore the number of hash table slots to try is limited. Strings that find no free slot go
 * into a `Map`.
 */
export class StringUnion {
  /** Number of strings in the table. */
  size = 0;
  /**
   * The table, in the form in which it is written to a file. Each string is stored as a 16-bit length and its bytes.
   */
  private bytes: Buffer;
  private view: DataView;
  private end = head;
  /** Start of each string's table entry, by string index. `hashes` has the hash of each string. */
  private starts: Int32Array;
  private hashes: Int32Array;
  /** Slots of a hash table with open addressing. A slot contains a string's index + 1, or 0 if it is free. */
  private slots: Int32Array;
  private readonly crowded = new Map<ByteString, number>();
  private readonly longestProbe: number;
  private readonly ahead = new Int32Array(batch);
  private touched = 0;

  constructor({ bytes = 1 << 16, longestProbe = 64 }: UnionOptions = {}) {
    this.longestProbe = longestProbe;
    this.bytes = Buffer.allocUnsafeSlow(head + bytes);
    this.view = viewOf(this.bytes);
    const strings = Math.max(16, Math.ceil(bytes / usualEntry));
    this.starts = new Int32Array(strings);
    this.hashes = new Int32Array(strings);
    this.slots = new Int32Array(powerAbove(2 * strings));
  }

  /**
   * Adds strings from another table. Strings that this table already contains are not added twice.
   *
   * @param order string indexes in the other table. The first `count` of them are added, in this order.
   * @param indexes filled by this method: maps an added string's index in the other table to its index in this table
   */
  addAll(from: TableView, order: Int32Array, count: number, indexes: Int32Array): void {
    this.makeRoom(count, from.starts[from.starts.length - 1]! - from.starts[0]!);
    for (let done = 0; done < count; done += batch) {
      const until = Math.min(count, done + batch);
      this.hashAll(from, order, done, until);
      this.placeAll(from, order, done, until, indexes);
    }
  }

  /**
   * Computes the hashes of a batch of strings, and reads the first hash table slot of each string. Each of these reads
   * usually has to wait for main memory, but in this loop the CPU can wait for many of them at the same time.
   * Afterwards, the slots are in the CPU's cache, so `placeAll` reads them quickly.
   */
  private hashAll({ view, starts }: TableView, order: Int32Array, done: number, until: number): void {
    const { ahead, slots } = this;
    const mask = slots.length - 1;
    let touched = 0;
    for (let i = done; i < until; i++) {
      const start = starts[order[i]!]!;
      const hash = hashOf(view, start + 2, view.getUint16(start, true));
      ahead[i - done] = hash;
      touched |= slots[hash & mask]!;
    }
    this.touched = touched;
  }

  private placeAll(
    from: TableView,
    order: Int32Array,
    done: number,
    until: number,
    indexes: Int32Array,
  ): void {
    const { bytes: theirs, view: theirView, starts: theirStarts } = from;
    const { bytes, view, starts, hashes, slots, ahead, longestProbe } = this;
    const mask = slots.length - 1;
    let { end, size } = this;
    // If consecutive new strings are adjacent in the other table, copy their bytes in one operation.
    let runStart = 0;
    let runEnd = 0;
    for (let i = done; i < until; i++) {
      const old = order[i]!;
      const start = theirStarts[old]!;
      const length = theirView.getUint16(start, true);
      const hash = ahead[i - done]!;
      let index = -1;
      let slot = hash & mask;
      let probes = 0;
      for (; probes < longestProbe; probes++, slot = (slot + 1) & mask) {
        const other = slots[slot]! - 1;
        if (other < 0) break;
        if (hashes[other] !== hash) continue;
        const otherStart = starts[other]!;
        if (otherStart >= end - (runEnd - runStart)) {
          copy(theirs, runStart, runEnd, bytes, end);
          runStart = runEnd;
        }
        if (sameString(view, otherStart, theirView, start, length)) {
          index = other;
          break;
        }
      }
      if (index < 0 && probes === longestProbe) {
        const text = theirs.toString('latin1', start + 2, start + 2 + length);
        index = this.crowded.get(text) ?? -1;
        if (index < 0) this.crowded.set(text, size);
      } else if (index < 0) {
        slots[slot] = size + 1;
      }
      if (index < 0) {
        if (start !== runEnd) {
          copy(theirs, runStart, runEnd, bytes, end);
          runStart = start;
        }
        index = size++;
        starts[index] = end;
        hashes[index] = hash;
        runEnd = start + 2 + length;
        end += 2 + length;
      }
      indexes[old] = index;
    }
    copy(theirs, runStart, runEnd, bytes, end);
    this.end = end;
    this.size = size;
  }

  /**
   * Adds a string if the table does not contain it, and returns its index. Truncates strings of more than 65,535 bytes.
   */
  add(text: ByteString): number {
    const length = Math.min(text.length, 0xffff);
    const bytes = Buffer.alloc(2 + length);
    bytes.writeUInt16LE(length);
    bytes.write(text, 2, length, 'latin1');
    const index = new Int32Array(1);
    const starts = new Int32Array([0, bytes.length]);
    this.addAll({ bytes, view: viewOf(bytes), starts }, new Int32Array(1), 1, index);
    return index[0]!;
  }

  /** Removes all strings with indexes of at least `index`. This is slow, because it rebuilds the hash table. */
  forgetFrom(index: number): void {
    if (index >= this.size) return;
    this.size = index;
    this.end = this.starts[index]!;
    this.placeAgain(this.slots.length);
  }

  text(index: number): ByteString {
    const start = this.starts[index]!;
    return this.bytes.toString('latin1', start + 2, start + 2 + this.view.getUint16(start, true));
  }

  /**
   * Returns the bytes of the table as they appear at the start of a file, with the magic number and the number of
   * strings. The returned bytes become invalid when a string is added.
   */
  table(): Buffer {
    magic.copy(this.bytes);
    this.bytes.writeInt32LE(this.size, 4);
    return this.bytes.subarray(0, this.end);
  }

  /** Frees all memory immediately. The object cannot be used afterwards. */
  free(): void {
    for (const numbers of [this.starts, this.hashes, this.slots]) releaseBuffer(numbers);
    releaseBuffer(this.bytes);
  }

  /** Grows all arrays in advance, so that the loop that adds strings does not have to check their sizes. */
  private makeRoom(strings: number, bytes: number): void {
    if (this.end + bytes > largest) throw new RangeError('A string table of more than 2 GB.');
    if (this.end + bytes > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(largest, Math.max(2 * this.bytes.length, this.end + bytes)),
      );
      this.bytes.copy(larger, 0, 0, this.end);
      releaseBuffer(this.bytes);
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    const size = this.size + strings;
    if (size > this.starts.length) {
      this.starts = grown(this.starts, size);
      this.hashes = grown(this.hashes, size);
    }
    if (2 * size > this.slots.length) this.placeAgain(powerAbove(4 * size));
  }

  private placeAgain(slots: number): void {
    this.slots = new Int32Array(slots);
    this.crowded.clear();
    const mask = slots - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = this.hashes[index]! & mask;
      let probes = 0;
      while (probes < this.longestProbe && this.slots[slot] !== 0) {
        slot = (slot + 1) & mask;
        probes++;
      }
      if (probes === this.longestProbe) this.crowded.set(this.text(index), index);
      else this.slots[slot] = index + 1;
    }
  }
}

/** Hashes a string, four bytes per step. This is fast, but collisions are easy to construct. See `longestProbe`. */
function hashOf(view: DataView, at: number, length: number): number {
  let hash = length;
  const end = at + length;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x2c1b3c6d);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x297a2d39);
  hash = Math.imul(hash ^ (hash >>> 16), 0x297a2d39);
  return hash ^ (hash >>> 15);
}

/** Returns whether the table entries at `a` and `b` are equal. `length` is the length in bytes of the string at `b`. */
function sameString(viewA: DataView, a: number, viewB: DataView, b: number, length: number): boolean {
  if (viewA.getUint16(a, true) !== length) return false;
  const end = a + 2 + length;
  a += 2;
  b += 2;
  for (; a + 4 <= end; a += 4, b += 4) if (viewA.getInt32(a, true) !== viewB.getInt32(b, true)) return false;
  for (; a < end; a++, b++) if (viewA.getUint8(a) !== viewB.getUint8(b)) return false;
  return true;
}

/** Copies the bytes from `start` to `stop`, so that the copy ends at position `end` of `to`. */
function copy(from: Buffer, start: number, stop: number, to: Buffer, end: number): void {
  if (stop > start) from.copy(to, end - (stop - start), start, stop);
}

function powerAbove(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}

function grown(values: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(2 * values.length, size));
  larger.set(values);
  return larger;
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
