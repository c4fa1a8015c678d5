/**
 * Thrown if a walk cannot pass a file. Either the file is damaged, or it is valid but not as our writer would write it
 * (flags of 2, words that are not 0). `decodeSet` tells the two apart.
 */
export class Irregular extends Error {}

/**
 * Walks over one part of a value. Receives the position where the part starts, and returns the position where it ends.
 */
export type Step = (walk: Walk, at: number) => number;

/**
 * Collects what a walk finds in a file. Positions are byte offsets in the file. Reading beyond the end throws
 * DataView's RangeError. Skipping beyond the end does not throw, so a caller must check that the walk ends where the
 * file ends.
 *
 * One object serves many files, one after another. Its lists only ever grow, so nothing is allocated per record.
 */
export class Walk {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Number of strings in the table of the file. */
  strings = 0;
  /** Positions of the string indexes, in the order of the file. Only the first `found` elements are valid. */
  positions = new Int32Array(0);
  found = 0;
  /** Indexes of the strings in use, in the order of first use. Only the first `met` elements are valid. */
  order = new Int32Array(0);
  met = 0;
  /** Highest codec version so far, except those of windows. Callers reset it at the start of each record. */
  version = 0;
  /** Position of the properties' fields in the last asset; -1 if the asset has no properties. */
  properties = -1;
  /** Type of the last asset. */
  type = '';
  /** Whether the last record's window differs from that of the first record of the file. */
  odd = false;
  /** By string index: 1 if the string is in `order`, otherwise 0. */
  private used = new Uint8Array(0);
  private firstWindow = -1;
  private lastWindow = -1;
  private lastWindowEnd = -1;

  /** Starts a walk over the next file or the next part of a file. The file's table has `strings` strings. */
  begin(bytes: Uint8Array, strings: number): void {
    this.strings = strings;
    if (this.used.length < strings) {
      this.used = new Uint8Array(strings);
      this.order = new Int32Array(strings);
    } else {
      // Reset only the strings that were used: a part may use few strings of a table that has millions.
      for (let i = 0; i < this.met; i++) this.used[this.order[i]!] = 0;
    }
    this.met = 0;
    this.goOn(bytes);
  }

  /** Marks all strings as not used. Needed after an aborted walk, when `order` may not list all used ones. */
  forget(): void {
    this.used.fill(0);
    this.met = 0;
  }

  /** Continues with other bytes that use the same string table. */
  goOn(bytes: Uint8Array): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.found = 0;
    this.firstWindow = -1;
    this.lastWindow = -1;
    // Allocate for the worst case, in which the file is nothing but string indexes. This costs nothing, because pages
    // that are never written take no memory.
    if (this.positions.length < bytes.length / 4) this.positions = new Int32Array(bytes.length / 4);
  }

  /**
   * Renumbers the string indexes at `positions[from]` up to, but not including, `positions[to]`: overwrites each one
   * with `indexes[old index]`.
   */
  renumber(from: number, to: number, indexes: Int32Array): void {
    const { view, positions } = this;
    for (let i = from; i < to; i++) {
      const at = positions[i]!;
      view.setInt32(at, indexes[view.getInt32(at, true)]!, true);
    }
  }

  /**
   * Walks over string indexes and notes their positions and strings.
   *
   * @param groups one number per group. n > 0: n consecutive indexes. -n: a flag, a count, and `count` times n indexes.
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
   * Reads a count of entries that have at least `least` bytes each. Throws `Irregular` if the rest of the file has no
   * room for so many entries.
   */
  count(at: number, least: number): number {
    const count = this.view.getInt32(at, true);
    if (count < 0 || count * least > this.view.byteLength - at - 4) throw new Irregular();
    return count;
  }

  /** Walks over a record's window with `step`, and notes whether the window differs from that of the first record. */
  recordWindow(step: Step, at: number): number {
    // Nearly all windows have the same bytes as the previous record's. `odd` is then the same as well.
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

/** Whether the windows at `a` and `b` have the same start and end. The walk has already passed both. */
function sameSides(bytes: Buffer, a: number, b: number): boolean {
  // Skip the compatibility word and the version. Each side has a flag, the length of the time and its form, then
  // seconds and nanoseconds.
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
