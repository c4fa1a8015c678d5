import * as sdk from '@temporalio/client';
import { knownError } from '../../errors/known-error';
import { temporalView } from '../../operator/temporal-view';
import type { Context } from '../../scripts/context';
import { guardedRetries } from '../../workers/guarded-retries';
import { names } from '../../workflows/names';
import { startGrpcProxy } from '../servers/grpc-proxy';

it('a call through a closed connection is cancelled, and throws nothing', () => {
  const [, guard] = guardedRetries(sdk);
  const shutDown = () => {
    throw new Error('Channel has been shut down');
  };
  const onReceiveStatus = jest.fn();
  guard?.({} as never, shutDown).start({} as never, { onReceiveStatus });
  expect(onReceiveStatus).toHaveBeenCalledWith(
    expect.objectContaining({ code: 1, details: 'Channel has been shut down' }),
  );
});

/** Starts a server that answers every request with this status, and calls `use` with a client of that server. */
async function withRefusal(code: number, message: string, use: (client: sdk.Client) => Promise<void>) {
  const server = await startGrpcProxy('127.0.0.1:1');
  server.answer = () => ({ code, message });
  const interceptors = guardedRetries(sdk, 2);
  const connection = sdk.Connection.lazy({ address: server.address, interceptors });
  try {
    await use(new sdk.Client({ connection }));
  } finally {
    await connection.close();
    await server.close();
  }
}

it('a verb learns soon that the server asks for fewer requests', async () => {
  await withRefusal(8, 'namespace rate limit exceeded', async (client) => {
    const error: unknown = await client.workflow
      .getHandle('roster')
      .signal('exclude')
      .catch((error: unknown) => error);
    expect(knownError(error)).toMatchObject({
      code: 'TEMPORAL_THROTTLED',
      detail: expect.stringContaining('namespace rate limit exceeded'),
    });
  });
});

it('status says why the server refuses to describe the roster and the schedule', async () => {
  await withRefusal(7, 'Request unauthorized.', async (client) => {
    const operator = { names: names(''), temporal: async () => ({ client }) } as unknown as Context;
    expect((await temporalView(operator, {})).missing).toEqual([
      expect.stringMatching(
        /^The roster could not be asked: TEMPORAL_ACCESS_DENIED: .* Request unauthorized\.$/,
      ),
      expect.stringMatching(
        /^The schedule .* could not be read: TEMPORAL_ACCESS_DENIED: .* Request unauthorized\.$/,
      ),
    ]);
  });
});
