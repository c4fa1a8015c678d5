import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../scripts/set-up/lock.cjs';
import { until } from '../until';
import { scratchFolder, write } from './scratch';

const scratch = scratchFolder();
const file = (): string => path.join(scratch(), 'lock');
const fast = { pollMs: 5 };

describe('the lock of the set-up', () => {
  test('admits one task at a time and is gone afterwards', async () => {
    let inside = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(10);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file(), fast, task)));
    expect(most).toBe(1);
    expect(existsSync(file())).toBe(false);
  });

  test('is released by a task that fails', async () => {
    const failing = withLock(file(), fast, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(withLock(file(), fast, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  test('is taken over from a process that is gone', async () => {
    write(file(), JSON.stringify({ pids: [999_999_999], host: os.hostname() }));
    await expect(withLock(file(), fast, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  test('stays with a child process of a holder that is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    const ended = once(child, 'exit');
    try {
      await withLock(file(), fast, async (alsoHeldBy) => {
        alsoHeldBy(child.pid ?? 0);
        // In the lock file, replace this process's id with an id that no process has, as if this process had ended.
        write(file(), readFileSync(file(), 'utf8').replace(`${process.pid},`, '999999999,'));
      });
      const order: string[] = [];
      const onWait = (): void => {
        order.push('waits');
        child.kill();
        void ended.then(() => order.push('ended'));
      };
      await withLock(file(), { ...fast, onWait }, async () => void order.push('in'));
      expect(order).toEqual(['waits', 'ended', 'in']);
    } finally {
      child.kill();
      await ended;
    }
  });

  test.each([
    ['another machine', JSON.stringify({ pids: [process.pid], host: 'elsewhere' })],
    ['a holder that was interrupted while writing', '{"pi'],
  ])('is taken over from %s only after a while', async (_, holder) => {
    write(file(), holder);
    let waited = false;
    const taken = withLock(file(), { ...fast, onWait: () => (waited = true) }, () => Promise.resolve('in'));
    await until('the wait for the lock', () => waited);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(file(), longAgo, longAgo);
    await expect(taken).resolves.toBe('in');
  });

  test('stays with a holder that works for longer than that', async () => {
    const options = { pollMs: 5, staleAfterMs: 2_000 };
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    const long = withLock(file(), options, async () => {
      held.resolve();
      await sleep(2_500);
      order.push('long');
    });
    await held.promise;
    await withLock(file(), options, () => Promise.resolve(order.push('next')));
    await long;
    expect(order).toEqual(['long', 'next']);
  });
});
