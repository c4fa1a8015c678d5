import type { ByteString } from './byte-string';
import { corrupt, tooNew, tooOld, truncated } from './refusal';
import type { VersionRange } from './versions';

/**
 * Size in bytes that no real file reaches. It decides which error `count` throws for a file that is too short for its
 * entries. If the entries need at least this many bytes, their number is corrupt. Otherwise, the file is truncated.
 */
const absurdBytes = 2 ** 31;

/**
 * Reads the primitive values of the ETL format, from front to back. Before each read, checks that enough bytes are
 * left. Throws a `FederationError` with an `ETL_*` code and the byte position if the bytes violate the format.
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

  /**
   * Sets the string table. From then on, `str` reads indexes into this table. If the table is empty, `str` reads inline
   * strings.
   */
  useTable(table: readonly ByteString[]): void {
    this.table = table;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  i8(): number {
    return this.view.getInt8(this.advance(1));
  }

  /** Reads a boolean. Any byte other than 0 means true. */
  bool(): boolean {
    return this.u8() !== 0;
  }

  i32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  /** Reads a signed 16-bit integer in big-endian byte order. Only times are stored in this order. */
  i16be(): number {
    return this.view.getInt16(this.advance(2), false);
  }

  /** Reads an unsigned 32-bit integer in big-endian byte order. Only times are stored in this order. */
  u32be(): number {
    return this.view.getUint32(this.advance(4), false);
  }

  /**
   * Reads a signed 64-bit integer in big-endian byte order. Only times are stored in this order. Values beyond 2^53 are
   * rounded, so callers must reject them.
   */
  i64be(): number {
    const at = this.advance(8);
    return this.view.getInt32(at, false) * 2 ** 32 + this.view.getUint32(at + 4, false);
  }

  /** Reads an inline string: a 16-bit length, then that number of bytes. */
  raw(): ByteString {
    const length = this.view.getUint16(this.advance(2), true);
    const at = this.advance(length);
    return this.buffer.toString('latin1', at, at + length);
  }

  /** Reads a string: an index into the string table, or an inline string if there is no table. */
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
   * Reads the number of entries of a list, map or table. Each entry takes up at least `least` bytes. If the rest of the
   * file is too short for all entries, throws an error before any memory is allocated: ETL_CORRUPT if the entries would
   * not fit into any real file, otherwise ETL_TRUNCATED.
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

  /** Reads the version byte of a structure. Throws an error if the version is not in the supported range. */
  version(range: VersionRange): number {
    const at = this.position;
    const version = this.u8();
    if (version >= range.oldest && version <= range.newest) return version;
    const known = `${range.family} are known from ${range.oldest} to ${range.newest}`;
    if (version === 0) throw corrupt(at, `Codec version 0, which was never written; ${known}.`);
    const detail = `Codec version ${version}; ${known}.`;
    throw version < range.oldest ? tooOld(at, detail) : tooNew(at, detail);
  }

  /** Throws ETL_CORRUPT if not all bytes have been read. */
  finish(): void {
    if (this.left > 0) throw corrupt(this.position, `${this.left} bytes are left over behind the set.`);
  }

  /**
   * Moves past a number of bytes and returns the position where they start. Throws ETL_TRUNCATED if fewer bytes are
   * left.
   */
  private advance(bytes: number): number {
    const at = this.position;
    if (bytes > this.view.byteLength - at) {
      throw truncated(at, `${bytes} bytes are expected and ${this.left} are left.`);
    }
    this.position = at + bytes;
    return at;
  }
}
