/**
 * A file that a walk cannot go over: damaged, or good but not written as our writer would (flags of 2, words that are
 * not 0). The walk does not say which: `decodeSet` does.
 */
export class Irregular extends Error {}

/** Moves over one part of a value: takes where it starts, gives where it ends. */
export type Step = (walk: Walk, at: number) => number;

/**
 * What a walk over one file meets. Positions are bytes of the file. A read beyond the end throws the RangeError of
 * DataView; a part that is only passed over does not, so where a walk ends has to be held against the end of the file.
 *
 * One object serves many files, one after another, and its lists only grow: nothing is made per record.
 */
export class Walk {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** How many strings the table of the file has. */
  strings = 0;
  /** Where string indexes stand, in the order of the file; `found` of them. */
  positions = new Int32Array(0);
  found = 0;
  /** Which strings are used, in the order of first use; `met` of them. */
  order = new Int32Array(0);
  met = 0;
  /** The highest codec version met, windows aside. Whoever starts a record resets it. */
  version = 0;
  /** Where the properties of the last asset stand, behind their version; -1 when it has none. */
  properties = -1;
  /** The type of the last asset. */
  type = '';
  /** Whether the last record has another window than the first record of the file. */
  odd = false;
  /** By index: 1 for those in `order`. */
  private used = new Uint8Array(0);
  private firstWindow = -1;
  private lastWindow = -1;
  private lastWindowEnd = -1;

  /** Starts with another file, or with another part of one, of a table of so many strings. */
  begin(bytes: Uint8Array, strings: number): void {
    this.strings = strings;
    if (this.used.length < strings) {
      this.used = new Uint8Array(strings);
      this.order = new Int32Array(strings);
    } else {
      // Not all of it: a part may use a few strings of a table of millions.
      for (let i = 0; i < this.met; i++) this.used[this.order[i]!] = 0;
    }
    this.met = 0;
    this.goOn(bytes);
  }

  /** After a walk that was broken off: what it met is not known any more. */
  forget(): void {
    this.used.fill(0);
    this.met = 0;
  }

  /** Goes on with another file of the same table. */
  goOn(bytes: Uint8Array): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.found = 0;
    this.firstWindow = -1;
    this.lastWindow = -1;
    // Pages that are never written to take no memory, so the most that could be needed costs nothing.
    if (this.positions.length < bytes.length / 4) this.positions = new Int32Array(bytes.length / 4);
  }

  /**
   * Moves over strings: groups of so many indexes that follow one another, or, of a negative size, a flag, a count and as
   * many groups of that size.
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

  /** The count of entries of at least so many bytes each, which the file must have room for. */
  count(at: number, least: number): number {
    const count = this.view.getInt32(at, true);
    if (count < 0 || count * least > this.view.byteLength - at - 4) throw new Irregular();
    return count;
  }

  /** Moves over the window of a record by `step`, and notes whether it is another one than that of the first record. */
  recordWindow(step: Step, at: number): number {
    // Nearly always it is, byte for byte, that of the record before.
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

/** Whether two windows of a file have the same start and end; both have been walked over. */
function sameSides(bytes: Buffer, a: number, b: number): boolean {
  // Behind word and version: for each side a flag, the length of the time, its form, then seconds and nanoseconds.
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
