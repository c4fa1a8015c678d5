import { existsSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withCacheLock } from '../../scripts/set-up/cache-lock';
import { scratchFolder, write } from './scratch';

const scratch = scratchFolder();
const file = (): string => path.join(scratch(), 'lock');
const fast = { pollMs: 5 };

describe('the lock of the cache', () => {
  test('lets one task in at a time and is gone afterwards', async () => {
    let inside = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(10);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withCacheLock(file(), fast, task)));
    expect(most).toBe(1);
    expect(existsSync(file())).toBe(false);
  });

  test('is given back by a task that fails', async () => {
    const failing = withCacheLock(file(), fast, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(withCacheLock(file(), fast, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  test('is taken over from a process that is gone', async () => {
    write(file(), JSON.stringify({ pid: 999_999_999, host: os.hostname() }));
    await expect(withCacheLock(file(), fast, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  test.each([
    ['another machine', JSON.stringify({ pid: process.pid, host: 'elsewhere' })],
    ['a holder that was cut off while it wrote', '{"pi'],
  ])('is taken over from %s only after a while', async (_, holder) => {
    write(file(), holder);
    let waited = false;
    const taken = withCacheLock(file(), { ...fast, onWait: () => (waited = true) }, () =>
      Promise.resolve('in'),
    );
    while (!waited) await sleep(5);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(file(), longAgo, longAgo);
    await expect(taken).resolves.toBe('in');
  });

  test('stays with a holder that works for longer than that', async () => {
    const options = { pollMs: 5, staleAfterMs: 2_000 };
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const long = withCacheLock(file(), options, async () => {
      held.resolve();
      await sleep(2_500);
      order.push('long');
    });
    await held.promise;
    await withCacheLock(file(), options, () => Promise.resolve(order.push('next')));
    await long;
    expect(order).toEqual(['long', 'next']);
  });
});
