import * as sdk from '@temporalio/client';
import { guardedRetries } from '../../workers/guarded-retries';

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
