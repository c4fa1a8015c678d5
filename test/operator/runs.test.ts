import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as sdk from '@temporalio/client';
import type { Operator } from '../../operator/operator';
import { readRuns } from '../../operator/runs';
import { guardedRetries } from '../../workers/guarded-retries';
import { names } from '../../workflows/names';
import { FederationFolder } from '../scripts/federation-folder';

describe('The runs of a federation whose Temporal server does not answer', () => {
  it('are those of the bucket, after a limited time, with a line that says so', async () => {
    await using federation = await FederationFolder.create();
    await federation.run('federation-1', {}, {});
    await federation.run('federation-2', {});
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const connection = sdk.Connection.lazy({
      address: `127.0.0.1:${port}`,
      interceptors: guardedRetries(sdk),
    });
    const client = new sdk.Client({ connection });
    const operator = {
      settings: { temporal: { idPrefix: '' } },
      names: names(''),
      bucket: async () => federation.bucket,
      temporal: async () => ({ client }),
    } as unknown as Operator;
    const { runs, missing, bucketError } = await readRuns(operator, 10);
    expect(runs).toMatchObject([
      { run: 'federation-2', outcome: 'unknown' },
      { run: 'federation-1', outcome: 'complete' },
    ]);
    expect(missing).toEqual([expect.stringMatching(/^Runs that never reached the bucket are not shown, /)]);
    expect(bucketError).toBeUndefined();
    for (const socket of sockets) socket.destroy();
    silent.close();
    await connection.close();
  });
});
