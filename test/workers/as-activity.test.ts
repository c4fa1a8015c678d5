import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { FederationError } from '../../errors/federation-error';
import { asActivities, asActivity, temporalContext } from '../../workers/as-activity';

/**
 * Creates a mock environment for activities. It logs only errors, because the default log would describe every failure
 * at length.
 */
const newEnvironment = () =>
  new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR', () => undefined) });

/** Runs an activity that throws `thrown`, and returns the error with which it fails. */
async function endOf(thrown: unknown): Promise<unknown> {
  const work = asActivity(() => Promise.reject(thrown as Error));
  return newEnvironment()
    .run(work)
    .catch((error: unknown) => error);
}

describe('an activity', () => {
  it('returns the result of its work', async () => {
    const { double } = asActivities({ double: async (value: number) => value * 2 });
    expect(await newEnvironment().run(double, 21)).toBe(42);
  });

  it('fails with the error’s code, subject and advice', async () => {
    const error = new FederationError('STORAGE_ACCESS_DENIED', {
      detail: 'Access is denied.',
      subject: { key: 'federated/c1' },
    });
    const failure = await endOf(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type: 'STORAGE_ACCESS_DENIED',
      message: 'Access is denied.',
      nonRetryable: true,
      details: [{ subject: { key: 'federated/c1' }, hint: error.hint }],
    });
  });

  it('is retried if that can help, after the time that the store asked for', async () => {
    const error = new FederationError('STORAGE_THROTTLED', { detail: 'Slow down.', retryAfterMs: 7_000 });
    expect(await endOf(error)).toMatchObject({ nonRetryable: false, nextRetryDelay: 7_000 });
    const unasked = await endOf(new FederationError('STORAGE_THROTTLED', { detail: 'Slow down.' }));
    expect(unasked).toMatchObject({ nonRetryable: false });
    expect((unasked as ApplicationFailure).nextRetryDelay).toBeUndefined();
  });

  it.each([[new TypeError('x is not a function')], ['a thrown string']])(
    'fails as INTERNAL on the unexpected %p, and may be retried',
    async (thrown) => {
      const message = thrown instanceof Error ? thrown.message : thrown;
      expect(await endOf(thrown)).toMatchObject({ type: 'INTERNAL', nonRetryable: false, message });
    },
  );

  it('names no path of this machine in its failure', async () => {
    expect((await endOf(new TypeError('odd'))) as Error).toMatchObject({ stack: 'INTERNAL: odd' });
  });

  it('passes on a failure that Temporal already knows', async () => {
    const failure = ApplicationFailure.nonRetryable('as it is', 'MINE');
    expect(await endOf(failure)).toBe(failure);
  });

  it('heartbeats while it works, and no longer', async () => {
    jest.useFakeTimers();
    try {
      const environment = newEnvironment();
      let beats = 0;
      environment.on('heartbeat', () => (beats += 1));
      const gate = Promise.withResolvers<void>();
      const end = environment.run(asActivity(() => gate.promise));
      // The server would end the activity after 20 seconds without a heartbeat. Expect several heartbeats in that time.
      jest.advanceTimersByTime(20_000);
      expect(beats).toBeGreaterThanOrEqual(3);
      const before = beats;
      gate.resolve();
      await end;
      jest.advanceTimersByTime(60_000);
      expect(beats).toBe(before);
    } finally {
      jest.useRealTimers();
    }
  });

  it('that is cancelled notifies its work, and ends cancelled whatever the work throws then', async () => {
    const environment = newEnvironment();
    const end = environment.run(
      asActivity(
        () =>
          new Promise<never>((_, reject) => {
            temporalContext.signal.addEventListener('abort', () =>
              reject(new Error('the request was aborted')),
            );
          }),
      ),
    );
    environment.cancel('CANCELLED');
    await expect(end).rejects.toBeInstanceOf(CancelledFailure);
  });
});
