import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Appender } from '../../query/append';
import { type Database, openDatabase, rowsOf } from '../../query/database';

describe('rows that are appended', () => {
  let folder: string;
  let database: Database;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'append-'));
    database = await openDatabase({ folder, memoryLimit: '128MB', threads: 1 });
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const columns = {
    cost: new Float64Array([1.5, 2.5]),
    records: Int32Array.of(3, 4),
    cluster: (row: number) => 10 + row,
    file: () => 7,
  };

  it('have their values in the columns of these names, whatever the order', async () => {
    const connection = await database.connect();
    const tables = await Appender.open(connection);
    await tables.append('contribution', 2, columns);
    tables.finish();
    expect(await rowsOf(connection, 'select * from contribution order by cluster')).toEqual([
      { file: 7, cluster: 10, records: 3, cost: 1.5 },
      { file: 7, cluster: 11, records: 4, cost: 2.5 },
    ]);
  });

  it('must have each column of the table, and no other', async () => {
    const tables = await Appender.open(await database.connect());
    const { cost, ...withoutCost } = columns;
    await expect(tables.append('contribution', 2, withoutCost)).rejects.toThrow(
      'The columns are not those of the table contribution: file, cluster, records, cost.',
    );
    await expect(tables.append('contribution', 2, { ...withoutCost, costs: cost })).rejects.toThrow(
      TypeError,
    );
    await expect(tables.append('contribution', 2, { ...columns, costs: cost })).rejects.toThrow(TypeError);
  });
});
