import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { mapRows, rowsOf } from '../../query/database';
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
  const statements = new QueryStatements(connection, gone.signal, 1);
  await statements.run('create or replace temp table seen (number integer)');
  gone.abort(new Error('gone'));
  await expect(statements.run('insert into seen values (1)')).rejects.toThrow('gone');
  expect((await connection.runAndReadAll('from seen')).getRowsJS()).toEqual([]);
});

it('reads no more rows into memory than it may', async () => {
  const statements = new QueryStatements(connection, undefined, 1);
  await expect(rowsOf(statements, "select x, 'a text' as text from range(1000) t(x)")).resolves.toHaveLength(
    1_000,
  );
  let read = 0;
  const much = "select repeat('x', 1000) as text from range(1000000)";
  await expect(mapRows(statements, much, undefined, () => read++)).rejects.toMatchObject({
    code: 'QUERY_TOO_LARGE',
    detail: 'What is read for the answer is larger than api.limits.megabytes allows, 1 MB.',
  });
  expect(read).toBeLessThan(3_000);
  // What an answer reads by several statements counts together.
  const small = new QueryStatements(connection, undefined, 1);
  const half = () => rowsOf(small, "select repeat('x', 1000) as text from range(600)");
  await half();
  await expect(half()).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
});
