import type { Client } from '@temporalio/client';
import { changeMembership } from '../../operator/membership';
import { names } from '../../workflows/names';
import { FederationFolder } from '../scripts/federation-folder';

afterEach(() => jest.useRealTimers());

it('an exclusion does not wait for a Temporal server that no longer answers', async () => {
  await using federation = await FederationFolder.create();
  await federation.push('cluster-3', 'allocations/1d/1794614400-1794700800');
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  const asked = Promise.withResolvers<void>();
  const signal = () => {
    asked.resolve();
    return new Promise<never>(() => undefined);
  };
  // A fake client that ignores deadlines, as the SDK's client does while it reconnects.
  const client = {
    withDeadline: (_: number, call: () => unknown) => call(),
    workflow: { getHandle: () => ({ signal }) },
  } as unknown as Client;
  const answer = changeMembership(
    {
      settings: {
        temporal: { address: '', namespace: '', idPrefix: '', connection: {}, encryptionKeys: [] },
      },
      names: names(''),
      bucket: async () => federation.bucket,
      temporal: async () => ({ client }),
    },
    'exclude',
    { cluster: 'cluster-3' },
  );
  await asked.promise;
  jest.advanceTimersByTime(10_000);
  await expect(answer).rejects.toMatchObject({ code: 'TEMPORAL_UNAVAILABLE' });
});
