import { fork } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepLocks, withFreeLock, withLock } from '../../local-etl/lock';
import { type LocalEtl, localEtl } from '../../local-etl/store';

let store: LocalEtl;
beforeEach(async () => {
  store = localEtl(await mkdtemp(join(tmpdir(), 'federated-etl-lock-')));
});
afterEach(() => rm(store.root, { recursive: true, force: true }));

const locks = () => readdir(join(store.state, 'locks'));

it('admits one task at a time, and leaves nothing behind', async () => {
  let inside = 0;
  const seen: number[] = [];
  const work = async () => {
    seen.push(++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(store, 'a', work)));
  expect(seen).toEqual(Array(10).fill(1));
  expect(await locks()).toEqual([]);
});

it('is released when the task throws', async () => {
  await expect(withLock(store, 'a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(store, 'a', async () => 'free')).toBe('free');
});

it('is not waited for by a task that only runs if it is free', async () => {
  let ran = 0;
  const count = async () => ++ran;
  expect(await withLock(store, 'a', () => withFreeLock(store, 'a', count))).toBeUndefined();
  expect(ran).toBe(0);
  expect(await withFreeLock(store, 'a', count)).toEqual({ done: 1 });
  expect(await locks()).toEqual([]);
});

it('does not make different windows wait for each other', async () => {
  expect(await withLock(store, 'a', () => withLock(store, 'b', async () => 'both'))).toBe('both');
});

it('stops waiting when it is cancelled', async () => {
  const controller = new AbortController();
  await withLock(store, 'a', async () => {
    setTimeout(() => controller.abort(new Error('cancelled')), 50);
    await expect(withLock(store, 'a', async () => 'never', controller.signal)).rejects.toThrow();
  });
  expect(await locks()).toEqual([]);
});

it('is taken over at once from a killed process', async () => {
  const dead = await deadProcess();
  const mine = await withLock(store, 'a', async () => JSON.parse(await readLock('a')) as object);
  const theirs = JSON.stringify({ ...mine, pid: dead, token: 'theirs' });
  await writeFile(join(store.state, 'locks', 'a'), theirs);
  expect(await withLock(store, 'a', async () => 'taken')).toBe('taken');
  await writeFile(join(store.state, 'locks', 'a'), theirs);
  expect(await withFreeLock(store, 'a', async () => 'taken')).toEqual({ done: 'taken' });
});

it('is taken over from an earlier process with the same pid', async () => {
  const mine = await withLock(store, 'a', async () => JSON.parse(await readLock('a')) as object);
  await writeFile(join(store.state, 'locks', 'a'), JSON.stringify({ ...mine, token: 'earlier' }));
  expect(await withLock(store, 'a', async () => 'taken')).toBe('taken');
});

it('is taken over from a process that was killed before writing its id, but not at once', async () => {
  const path = join(store.state, 'locks', 'a');
  await mkdir(join(store.state, 'locks'), { recursive: true });
  await writeFile(path, '');
  await expect(withLock(store, 'a', async () => 'taken', AbortSignal.timeout(300))).rejects.toThrow();
  const before = new Date(Date.now() - 15_000);
  await utimes(path, before, before);
  expect(await withLock(store, 'a', async () => 'taken')).toBe('taken');
});

it('is left alone if another process has taken it over meanwhile', async () => {
  const path = join(store.state, 'locks', 'a');
  const theirs = JSON.stringify({ place: 'elsewhere', pid: 1, token: 'theirs' });
  await withLock(store, 'a', async () => {
    await rm(path);
    await writeFile(path, theirs);
  });
  expect(await readLock('a')).toBe(theirs);
});

it('is taken over from another machine only if it was not touched for long', async () => {
  const path = join(store.state, 'locks', 'a');
  await mkdir(join(store.state, 'locks'), { recursive: true });
  await writeFile(path, JSON.stringify({ place: 'elsewhere', pid: 1, token: 'theirs' }));
  const waiting = withLock(store, 'a', async () => 'taken', AbortSignal.timeout(300));
  await expect(waiting).rejects.toThrow();
  expect((await stat(path)).size).toBeGreaterThan(0);
  const longAgo = new Date(Date.now() - 10 * 60_000);
  await utimes(path, longAgo, longAgo);
  expect(await withLock(store, 'a', async () => 'taken')).toBe('taken');
});

it('is taken over by one of many', async () => {
  await mkdir(join(store.state, 'locks'), { recursive: true });
  const path = join(store.state, 'locks', 'a');
  await writeFile(path, '');
  await utimes(path, new Date(0), new Date(0));
  let inside = 0;
  const most: number[] = [];
  await Promise.all(
    Array.from({ length: 8 }, () =>
      withLock(store, 'a', async () => {
        most.push(++inside);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside--;
      }),
    ),
  );
  expect(most).toEqual(Array(8).fill(1));
});

it('is swept away if its holder was killed, and only then', async () => {
  const folder = join(store.state, 'locks');
  await sweepLocks(store);
  const dead = await deadProcess();
  const mine = await withLock(store, 'a', async () => JSON.parse(await readLock('a')) as object);
  await writeFile(join(folder, 'dead'), JSON.stringify({ ...mine, pid: dead, token: 'theirs' }));
  await writeFile(join(folder, 'elsewhere'), JSON.stringify({ place: 'elsewhere', pid: 1, token: 'theirs' }));
  await writeFile(join(folder, 'nameless'), '');
  await writeFile(join(folder, 'old.takeover'), '');
  await utimes(join(folder, 'old.takeover'), new Date(0), new Date(0));
  await writeFile(join(folder, 'new.takeover'), '');
  await withLock(store, 'alive', async () => {
    await sweepLocks(store);
    expect((await locks()).sort()).toEqual(['alive', 'elsewhere', 'nameless', 'new.takeover']);
  });
});

async function readLock(name: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(join(store.state, 'locks', name), 'utf8');
}

async function deadProcess(): Promise<number> {
  const script = join(store.root, 'nothing.cjs');
  await writeFile(script, '');
  const child = fork(script);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}
