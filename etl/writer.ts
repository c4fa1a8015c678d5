import type { ByteString } from './byte-string';
import { longestString, TableBuilder } from './string-table';

/**
 * Writes the primitive values of the ETL format into a growing buffer, which becomes the body of the file. Strings go
 * into a string table, which `finish` puts before the body. So `position` is relative to the body. Add `tableLength` to
 * get the position in the file.
 */
export class Writer {
  position = 0;
  private readonly table = new TableBuilder();
  private buffer = Buffer.allocUnsafe(1 << 16);
  private view = viewOf(this.buffer);

  u8(value: number): void {
    const at = this.advance(1);
    this.view.setUint8(at, value);
  }

  i8(value: number): void {
    const at = this.advance(1);
    this.view.setInt8(at, value);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  i32(value: number): void {
    const at = this.advance(4);
    this.view.setInt32(at, value, true);
  }

  f64(value: number): void {
    const at = this.advance(8);
    this.view.setFloat64(at, value, true);
  }

  /** Writes a signed 16-bit integer in big-endian order. Only times use this order. */
  i16be(value: number): void {
    const at = this.advance(2);
    this.view.setInt16(at, value, false);
  }

  /** Writes an unsigned 32-bit integer in big-endian order. Only times use this order. */
  u32be(value: number): void {
    const at = this.advance(4);
    this.view.setUint32(at, value, false);
  }

  /**
   * Writes a signed 64-bit integer in big-endian order. Only times use this order. The absolute value must be less than
   * 2^53.
   */
  i64be(value: number): void {
    const high = Math.floor(value / 2 ** 32);
    const at = this.advance(8);
    this.view.setInt32(at, high, false);
    this.view.setUint32(at + 4, value - high * 2 ** 32, false);
  }

  /** Writes an inline string: a 16-bit length, then the bytes. Truncates strings of more than 65,535 bytes. */
  raw(value: ByteString): void {
    const length = Math.min(value.length, longestString);
    const at = this.advance(2 + length);
    this.view.setUint16(at, length, true);
    this.buffer.write(value, at + 2, length, 'latin1');
  }

  /** Writes a string as its index in the string table. Adds it to the table if it is new. */
  str(value: ByteString): void {
    this.i32(this.table.index(value));
  }

  /** Returns the whole file: the table, followed by the body. The body starts at `tableLength`. */
  finish(): { bytes: Buffer; tableLength: number } {
    const table = this.table.encode();
    return {
      bytes: Buffer.concat([table, this.buffer.subarray(0, this.position)]),
      tableLength: table.length,
    };
  }

  private advance(bytes: number): number {
    const at = this.position;
    if (at + bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, at + bytes));
      this.buffer.copy(larger, 0, 0, at);
      this.buffer = larger;
      this.view = viewOf(larger);
    }
    this.position = at + bytes;
    return at;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
