import type { ByteString } from './byte-string';
import type { Reader } from './reader';

/** The first four bytes of a file that has a string table. */
export const magic = Buffer.from('BGST', 'latin1');

/** Maximum length of a string in bytes. Writers truncate longer strings to this length. */
export const longestString = 0xffff;

/** Minimum size of a table entry in bytes. An empty string consists only of a 16-bit length. */
const leastEntry = 2;

/** Returns whether the bytes start with a string table. */
export function hasTable(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** Returns whether a file is cut off within the four bytes that start a string table. */
export function isCutMagic(bytes: Uint8Array): boolean {
  return bytes.length < magic.length && bytes.every((byte, index) => magic[index] === byte);
}

/** Reads a string table, including its magic. From then on, the reader reads strings as indexes into this table. */
export function readTable(reader: Reader): ByteString[] {
  reader.i32();
  const count = reader.count(leastEntry);
  const table: ByteString[] = [];
  for (let i = 0; i < count; i++) table.push(reader.raw());
  reader.useTable(table);
  return table;
}

/**
 * Builds the string table of a file while the file is being written. The table contains each string once, in the order
 * of first use.
 */
export class TableBuilder {
  private readonly indexes = new Map<ByteString, number>();
  private bytes = 0;

  /** Returns the index of a string, and adds the string if it is new. Truncates strings to `longestString` bytes. */
  index(value: ByteString): number {
    const known = this.indexes.get(value);
    if (known !== undefined) return known;
    if (value.length > longestString) return this.index(value.slice(0, longestString));
    const index = this.indexes.size;
    this.indexes.set(value, index);
    this.bytes += 2 + value.length;
    return index;
  }

  /** Encodes the table as the bytes at the start of a file, including the magic number and the number of strings. */
  encode(): Buffer {
    const buffer = Buffer.allocUnsafe(8 + this.bytes);
    magic.copy(buffer);
    buffer.writeInt32LE(this.indexes.size, 4);
    let at = 8;
    for (const value of this.indexes.keys()) {
      at = buffer.writeUInt16LE(value.length, at);
      at += buffer.write(value, at, 'latin1');
    }
    return buffer;
  }
}
