import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { interruptOn, QueryStatements } from '../../query/statements';

/** A statement that runs until it is interrupted. */
const endless = 'select count(*) from range(10000000000000) a(x) where x % 7 = 8';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

it('interrupts all statements that follow, not only the one that runs', async () => {
  const gone = new AbortController();
  const leave = interruptOn(connection, gone.signal);
  gone.abort(new Error('gone'));
  // The signal was aborted before these statements began.
  await expect(connection.run(endless)).rejects.toThrow(/interrupt/i);
  await expect(connection.run(endless)).rejects.toThrow(/interrupt/i);
  leave();
  expect((await connection.runAndReadAll('select 1')).getRowsJS()).toEqual([[1]]);
});

it('starts no statement once the signal is aborted', async () => {
  const gone = new AbortController();
  const statements = new QueryStatements(connection, gone.signal);
  await statements.run('create or replace temp table seen (number integer)');
  gone.abort(new Error('gone'));
  await expect(statements.run('insert into seen values (1)')).rejects.toThrow('gone');
  expect((await connection.runAndReadAll('from seen')).getRowsJS()).toEqual([]);
});
