import type { Worker } from '@temporalio/worker';
import { serveRoles } from '../../workers/serve-roles';

/** Returns a role with one worker that runs until it is shut down, as the SDK's worker does. */
function roleThat(begin: () => Promise<void> = async () => undefined) {
  const end = Promise.withResolvers<void>();
  let state = 'INITIALIZED';
  const worker = {
    run: () => ((state = 'RUNNING'), end.promise),
    getState: () => state,
    shutdown: () => ((state = 'STOPPED'), end.resolve()),
  };
  return { workers: [worker as unknown as Worker], begin, state: () => state, fail: end.reject };
}

const never = new AbortController().signal;

describe('roles that are served', () => {
  it('end when they are asked to, after all have begun', async () => {
    const stop = new AbortController();
    const roles = [roleThat(), roleThat()];
    await serveRoles(roles, stop.signal, (stopping) => {
      expect([stopping, ...roles.map(({ state }) => state())]).toEqual([false, 'RUNNING', 'RUNNING']);
      stop.abort();
    });
    expect(roles.map(({ state }) => state())).toEqual(['STOPPED', 'STOPPED']);
  });

  it.each([
    [
      'one cannot begin',
      () => [roleThat(), roleThat(() => Promise.reject(new Error('odd')))],
      () => undefined,
    ],
    [
      'a worker fails',
      () => {
        const failing = roleThat();
        failing.fail(new Error('odd'));
        return [failing, roleThat()];
      },
      () => undefined,
    ],
    [
      'the caller fails',
      () => [roleThat(), roleThat()],
      () => {
        throw new Error('odd');
      },
    ],
  ])('all end if %s', async (_, make, begun) => {
    const roles = make();
    await expect(serveRoles(roles, never, begun)).rejects.toThrow('odd');
    expect(roles.some(({ state }) => state() === 'STOPPED')).toBe(true);
  });
});
