import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connections } from '../../query/connections';
import { QueryStatements } from '../../query/statements';

let folder: string;
let connections: Connections;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'connections-'));
  connections = await Connections.open({ folder, memoryLimit: '64MB', threads: 1 });
});
afterAll(() => {
  connections.close();
  rmSync(folder, { recursive: true, force: true });
});

it('ends work of many statements, whichever of them runs when the signal is aborted', async () => {
  const gone = new AbortController();
  const working = connections.inTransaction(async (connection) => {
    const statements = new QueryStatements(connection, gone.signal, 1);
    for (let count = 0; ; count++) {
      await statements.run('select 1');
      if (count === 3) gone.abort(new Error('gone'));
    }
  }, gone.signal);
  await expect(working).rejects.toThrow('gone');
  await expect(connections.inTransaction((connection) => connection.run('select 1'))).resolves.toBeDefined();
});

it('does not use a connection again whose transaction could not be ended', async () => {
  for (let count = 0; count < 3; count++) {
    const seen = await connections.inTransaction(async (connection) => {
      await connection.run('create or replace temp table seen (number integer)');
      // Now the transaction cannot be rolled back, as if that had failed.
      await connection.run('commit');
      return connection;
    });
    await connections.inTransaction(async (connection) => expect(connection).not.toBe(seen));
  }
});
