import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableBytes } from '../../bench/merge/table-bytes';
import { TableBuilder } from '../../etl/string-table';

const folder = mkdtempSync(join(tmpdir(), 'federated-etl-table-bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the bytes of a string table', () => {
  const table = new TableBuilder();
  for (const text of ['', 'a', 'namespace', 'x'.repeat(300)]) table.index(text);
  const file = join(folder, 'merged');

  // With these chunk sizes, some chunks end in the middle of a string's length field, and some in the middle of a
  // string.
  it.each([8, 9, 10, 11, 13, 19, 64, 1 << 20])('are counted in chunks of %p bytes', async (chunkBytes) => {
    writeFileSync(file, Buffer.concat([table.encode(), Buffer.alloc(50, 7)]));
    expect(await tableBytes(file, chunkBytes)).toBe(table.encode().length);
  });

  it('are zero in a file without a table', async () => {
    writeFileSync(file, Buffer.alloc(50, 7));
    expect(await tableBytes(file)).toBe(0);
  });
});
