import type { ByteString } from './byte-string';
import { corrupt, tooNew, tooOld, truncated } from './refusal';
import type { VersionRange } from './versions';

/**
 * Larger than any real file. If the entries of a count would need at least this many bytes, the count is corrupt. If
 * they would need less, but more than is left, the file is truncated.
 */
const absurdBytes = 2 ** 31;

/**
 * Reads the format's primitives from bytes, from front to back. Every read first checks that enough bytes are left.
 * Anything that does not fit the format throws a `FederationError` with an `ETL_*` code and the byte position.
 */
export class Reader {
  position = 0;
  private readonly buffer: Buffer;
  private readonly view: DataView;
  private table: readonly ByteString[] = [];

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Number of bytes that have not been read yet. */
  get left(): number {
    return this.view.byteLength - this.position;
  }

  /** Makes `str` read indexes into this table. With an empty table, `str` reads inline strings. */
  useTable(table: readonly ByteString[]): void {
    this.table = table;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  i8(): number {
    return this.view.getInt8(this.advance(1));
  }

  /** Reads a bool or a flag. Any byte other than 0 is true. */
  bool(): boolean {
    return this.u8() !== 0;
  }

  i32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  /** Reads big-endian, as times are stored. */
  i16be(): number {
    return this.view.getInt16(this.advance(2), false);
  }

  /** Reads big-endian, as times are stored. */
  u32be(): number {
    return this.view.getUint32(this.advance(4), false);
  }

  /** Reads big-endian, as times are stored. Values beyond 2^53 are rounded; callers refuse them. */
  i64be(): number {
    const at = this.advance(8);
    return this.view.getInt32(at, false) * 2 ** 32 + this.view.getUint32(at + 4, false);
  }

  /** Reads an inline string: a 16-bit length, then its bytes. */
  raw(): ByteString {
    const length = this.view.getUint16(this.advance(2), true);
    const at = this.advance(length);
    return this.buffer.toString('latin1', at, at + length);
  }

  /** Reads a string. If there is a table, this is an index into it; otherwise an inline string. */
  str(): ByteString {
    if (this.table.length === 0) return this.raw();
    const at = this.position;
    const index = this.i32();
    const entry = this.table[index];
    if (entry === undefined) {
      throw corrupt(at, `String ${index} of a table of ${this.table.length}.`);
    }
    return entry;
  }

  /**
   * Reads the number of entries of a list, map or table whose entries have at least `least` bytes each. Checks before
   * anything is allocated that the entries fit into the rest of the file. If they would not fit into any real file, the
   * count is corrupt; if they only do not fit into this one, the file is truncated.
   */
  count(least: number): number {
    const at = this.position;
    const count = this.i32();
    if (count < 0) throw corrupt(at, `A count of ${count}.`);
    if (count * least > this.left) {
      const detail = `${count} entries are announced and ${this.left} bytes are left.`;
      throw count * least >= absurdBytes ? corrupt(at, detail) : truncated(at, detail);
    }
    return count;
  }

  /** Reads the version byte of a structure and checks it against the supported range. */
  version(range: VersionRange): number {
    const at = this.position;
    const version = this.u8();
    if (version >= range.oldest && version <= range.newest) return version;
    const known = `${range.family} are known from ${range.oldest} to ${range.newest}`;
    if (version === 0) throw corrupt(at, `Codec version 0, which was never written; ${known}.`);
    const detail = `Codec version ${version}; ${known}.`;
    throw version < range.oldest ? tooOld(at, detail) : tooNew(at, detail);
  }

  /** Throws ETL_CORRUPT if bytes are left. */
  finish(): void {
    if (this.left > 0) throw corrupt(this.position, `${this.left} bytes are left over behind the set.`);
  }

  /** Skips bytes after checking that they exist. Returns the position where they start. */
  private advance(bytes: number): number {
    const at = this.position;
    if (bytes > this.view.byteLength - at) {
      throw truncated(at, `${bytes} bytes are expected and ${this.left} are left.`);
    }
    this.position = at + bytes;
    return at;
  }
}
