import { HourSums } from '../measure';

/**
 * Thrown if a `Walk` cannot read a file. Either the file is damaged, or it is valid but not in the form that our writer
 * uses (for example, a flag is 2 instead of 1). In the second case, `decodeSet` can still read the file.
 */
export class Irregular extends Error {}

/**
 * Moves over one part of a value without decoding it. Receives the position where the part starts, and returns the
 * position where it ends.
 */
export type Step = (walk: Walk, at: number) => number;

/**
 * Collects the positions of string indexes, and other information, while moving over a file without decoding it.
 * Positions are byte offsets in the file. Reading beyond the end of the file throws DataView's RangeError. Skipping
 * beyond the end does not throw. So callers must check that the walk ends at the end of the file.
 *
 * The same object can be used for many files, one after another. Its arrays never shrink, so nothing is allocated for
 * each record.
 */
export class Walk {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Number of strings in the file's string table. */
  strings = 0;
  /** Positions of all string indexes in the file, in file order. Only the first `found` elements are valid. */
  positions = new Int32Array(0);
  found = 0;
  /** Indexes of the strings in use, in the order of first use. Only the first `met` elements are valid. */
  order = new Int32Array(0);
  met = 0;
  /**
   * Highest codec version that was read since the last reset, ignoring the versions of windows. Callers reset
   * this field to 0 before each record.
   */
  version = 0;
  /** Position of the first property of the asset that was read last. -1 if that asset has no properties. */
  properties = -1;
  /** Type of the asset that was read last. */
  type = '';
  /** True if the window of the record that was read last differs from the window of the first record. */
  odd = false;
  /** For each string index, 1 if the string is in `order`, otherwise 0. */
  private used = new Uint8Array(0);
  /** Resource hours of the values that were passed since the last reset. Callers reset this field. */
  readonly hours = new HourSums();
  private firstWindow = -1;
  private lastWindow = -1;
  private lastWindowEnd = -1;

  /** Starts a walk over a file or a part of it. `strings` is the number of strings in the file's string table. */
  begin(bytes: Uint8Array, strings: number): void {
    this.strings = strings;
    if (this.used.length < strings) {
      this.used = new Uint8Array(strings);
      this.order = new Int32Array(strings);
    } else {
      // Reset only the strings that were used, because the table may have millions of unused strings.
      for (let i = 0; i < this.met; i++) this.used[this.order[i]!] = 0;
    }
    this.met = 0;
    this.goOn(bytes);
  }

  /** Marks all strings as unused. Call this after a failed walk, because `order` may lack some of the used strings. */
  forget(): void {
    this.used.fill(0);
    this.met = 0;
  }

  /** Switches to other bytes that use the same string table. Keeps `order`, but forgets all positions. */
  goOn(bytes: Uint8Array): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.found = 0;
    this.firstWindow = -1;
    this.lastWindow = -1;
    // Allocate for the worst case, in which all bytes belong to string indexes of 4 bytes each. Unused pages of the
    // array take up no memory.
    if (this.positions.length < bytes.length / 4) this.positions = new Int32Array(bytes.length / 4);
  }

  /**
   * Replaces string indexes in the file: each index `i` with `indexes[i]`. Changes only the indexes at
   * `positions[from]` up to, but not including, `positions[to]`.
   */
  renumber(from: number, to: number, indexes: Int32Array): void {
    const { view, positions } = this;
    for (let i = from; i < to; i++) {
      const at = positions[i]!;
      view.setInt32(at, indexes[view.getInt32(at, true)]!, true);
    }
  }

  /**
   * Moves over string indexes, and stores their positions and the strings that they refer to.
   *
   * @param groups the groups in which the string indexes are stored, one number per group. A positive number n means n
   *   consecutive indexes. A negative number -n means a list: a flag, followed (only if the flag is 1) by the number of
   *   entries and n indexes for each entry.
   */
  references(at: number, groups: Int32Array): number {
    const { view, strings, used, order, positions } = this;
    let { found, met } = this;
    for (let group = 0; group < groups.length; group++) {
      let length = groups[group]!;
      if (length < 0) {
        const flag = view.getUint8(at++);
        if (flag === 0) continue;
        if (flag !== 1) throw new Irregular();
        length *= -this.count(at, -4 * length);
        at += 4;
      }
      for (const end = at + 4 * length; at < end; at += 4) {
        const index = view.getInt32(at, true);
        if (index < 0 || index >= strings) throw new Irregular();
        if (used[index] === 0) {
          used[index] = 1;
          order[met++] = index;
        }
        positions[found++] = at;
      }
    }
    this.found = found;
    this.met = met;
    return at;
  }

  /**
   * Reads the number of entries of a list or map. Each entry takes up at least `least` bytes. Throws `Irregular` if the
   * rest of the file has no room for all entries.
   */
  count(at: number, least: number): number {
    const count = this.view.getInt32(at, true);
    if (count < 0 || count * least > this.view.byteLength - at - 4) throw new Irregular();
    return count;
  }

  /**
   * Moves over a record's window with `step`. Sets `odd` to true if this window differs from the first record's window,
   * otherwise to false.
   */
  recordWindow(step: Step, at: number): number {
    // First compare the bytes of this window with those of the previous record's window. If they are equal, `odd` does
    // not change.
    const { bytes, lastWindow, lastWindowEnd } = this;
    if (lastWindow >= 0) {
      let a = lastWindow;
      let b = at;
      while (a < lastWindowEnd && bytes[a] === bytes[b]) {
        a++;
        b++;
      }
      if (a === lastWindowEnd) return b;
    }
    const end = step(this, at);
    if (this.firstWindow < 0) this.firstWindow = at;
    this.odd = !sameSides(bytes, this.firstWindow, at);
    this.lastWindow = at;
    this.lastWindowEnd = end;
    return end;
  }
}

/**
 * Returns whether the windows at positions `a` and `b` have the same start and end. A walk must have passed both
 * windows.
 */
function sameSides(bytes: Buffer, a: number, b: number): boolean {
  // Skip the window's compatibility word (4 bytes) and version (1). The window's start and its end follow. Each of them
  // begins with a flag (1). If the flag is not 0, it is followed by a length (4), a format version (1), seconds (8),
  // nanoseconds (4) and the zone.
  a += 5;
  b += 5;
  for (let side = 0; side < 2; side++) {
    if (bytes[a] !== bytes[b]) return false;
    const open = bytes[a] === 0;
    if (!open && bytes.compare(bytes, a + 6, a + 18, b + 6, b + 18) !== 0) return false;
    a += open ? 1 : 5 + bytes[a + 1]!;
    b += open ? 1 : 5 + bytes[b + 1]!;
  }
  return true;
}
