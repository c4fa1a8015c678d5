import { open } from 'node:fs/promises';
import { hasTable } from '../../etl/string-table';

const headBytes = 8;
const lengthBytes = 2;

/**
 * Returns the size of the string table at the beginning of an ETL file, in bytes. Returns 0 if the file has no string
 * table. Reads the file in chunks, and stops at the end of the table.
 */
export async function tableBytes(file: string, chunkBytes = 1 << 22): Promise<number> {
  await using handle = await open(file);
  const chunk = Buffer.allocUnsafe(Math.max(chunkBytes, headBytes));
  const read = async (at: number) => {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    return chunk.subarray(0, bytesRead);
  };
  let part = await read(0);
  if (part.length < headBytes || !hasTable(part)) return 0;
  let from = 0;
  let at = headBytes;
  for (let left = part.readInt32LE(4); left > 0; left--) {
    if (at + lengthBytes > from + part.length) {
      from = at;
      part = await read(from);
    }
    at += lengthBytes + part.readUInt16LE(at - from);
  }
  return at;
}
