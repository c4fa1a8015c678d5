import type { ByteString } from './byte-string';
import type { Reader } from './reader';

/** The first four bytes of a file that has a string table. */
export const magic = Buffer.from('BGST', 'latin1');

/** Maximal length of a string in bytes. Writers cut longer strings to it. */
export const longestString = 0xffff;

/** Size in bytes of the smallest table entry, which is that of an empty string: only a length field. */
const leastEntry = 2;

/** Whether the bytes begin with a string table. */
export function hasTable(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** Whether the bytes are cut off in the middle of a table's magic. */
export function isCutMagic(bytes: Uint8Array): boolean {
  return bytes.length < magic.length && bytes.every((byte, index) => magic[index] === byte);
}

/** Reads a string table, including its magic, and makes the reader use the table for its strings. */
export function readTable(reader: Reader): ByteString[] {
  reader.i32();
  const count = reader.count(leastEntry);
  const table: ByteString[] = [];
  for (let i = 0; i < count; i++) table.push(reader.raw());
  reader.useTable(table);
  return table;
}

/**
 * Builds the string table of a file while the file is being written. Every string is in it once, in the order of first
 * use.
 */
export class TableBuilder {
  private readonly indexes = new Map<ByteString, number>();
  private bytes = 0;

  /** Returns the index of a string, after adding the string if it is new. Strings are cut to `longestString` bytes. */
  index(value: ByteString): number {
    const known = this.indexes.get(value);
    if (known !== undefined) return known;
    if (value.length > longestString) return this.index(value.slice(0, longestString));
    const index = this.indexes.size;
    this.indexes.set(value, index);
    this.bytes += 2 + value.length;
    return index;
  }

  /** Encodes the table with its magic and count, as it is at the start of a file. */
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
