import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WindowId } from '../etl/window';
import { allowed, ifThere, type LocalEtl, refusalOf, systemCode } from './store';
import { inFolder, removeQuickly, unlessRefused } from './write';

/**
 * Time in milliseconds after which a lock is stale if its holder has not renewed it.
 *
 * Locks ensure that the push and the pull of one cluster do not handle the same window at once. This works within one
 * process and between processes that share the volume. A lock is a file that contains its holder's identity. It is
 * created only if it does not exist. While the holder has the lock, it regularly renews the file's modification time.
 * If the holder is dead or has not renewed the time for `staleAfterMs`, another process takes over the lock. If the
 * holder was only paused, it may then run at the same time as the new holder. This is harmless, because every change to
 * a window replaces whole files.
 */
const staleAfterMs = 2 * 60_000;
/**
 * Time in milliseconds after which a lock file is stale if it does not contain its holder's identity. A process writes
 * its identity right after it has created the file. If the identity is still missing after this time, the process was
 * killed before it could write it.
 */
const namelessAfterMs = 10_000;
const touchEveryMs = 20_000;
const longestWaitMs = 250;

/** Name of the lock that is held while a backup is restored. */
export const restoreLock = 'restore';

const holderSchema = z.object({ place: z.string(), pid: z.number(), token: z.string() });
type Holder = z.infer<typeof holderSchema>;

/**
 * Tokens of the locks that this process holds. A lock file contains the holder's pid and a token. The pid alone is not
 * enough: after a container restarts, the new process may have the same pid as the old one.
 */
const heldHere = new Set<string>();

/** Runs `work` while holding the lock of one window. */
export async function withWindowLock<T>(
  store: LocalEtl,
  window: WindowId,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withLock(store, window.replaceAll('/', '~'), work, signal);
}

/** Runs `work` while holding the lock with this name. */
export async function withLock<T>(
  store: LocalEtl,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return asHolder(store, name, async (path, holder) => {
    // Keep the lock file open, so that its inode number cannot be reused. `release` identifies the file by this number.
    await using lock = await acquire(path, holder, signal);
    return await whileHeld(path, holder, lock, work);
  });
}

/**
 * Runs `work` while holding the lock with this name, and returns its result as `done`. If another holder has the lock,
 * returns undefined instead of waiting.
 */
export async function withFreeLock<T>(
  store: LocalEtl,
  name: string,
  work: () => Promise<T>,
): Promise<{ readonly done: T } | undefined> {
  return asHolder(store, name, async (path, holder) => {
    await removeIfStale(path);
    await using lock = await createLock(path, holder);
    return lock === undefined ? undefined : { done: await whileHeld(path, holder, lock, work) };
  });
}

/**
 * Removes the locks of killed processes. The next holder of such a lock would take it over, but a window that does not
 * change any more has none. Skips locks that cannot be read or removed, because the next holder reports the error.
 */
export async function sweepLocks(store: LocalEtl): Promise<void> {
  const folder = join(store.state, 'locks');
  for (const name of (await unlessRefused(readdir(folder))) ?? []) {
    const path = join(folder, name);
    const removed = name.endsWith(guardEnding) ? removeIfUntouched(path) : removeIfStale(path);
    await removed.catch(() => undefined);
  }
}

/** Runs `work` with the path of a lock file and a new holder identity, which is valid until `work` ends. */
async function asHolder<T>(
  store: LocalEtl,
  name: string,
  work: (path: string, holder: Holder) => Promise<T>,
): Promise<T> {
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  heldHere.add(holder.token);
  try {
    return await work(join(store.state, 'locks', name), holder);
  } finally {
    heldHere.delete(holder.token);
  }
}

/** Runs `work`, and renews the lock until `work` ends. Then releases the lock. */
async function whileHeld<T>(
  path: string,
  holder: Holder,
  lock: FileHandle,
  work: () => Promise<T>,
): Promise<T> {
  const touching = setInterval(() => void touch(lock), touchEveryMs);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await release(path, holder, lock);
  }
}

async function acquire(path: string, holder: Holder, signal: AbortSignal | undefined): Promise<FileHandle> {
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    signal?.throwIfAborted();
    const lock = await createLock(path, holder);
    if (lock !== undefined) return lock;
    if (await isStale(path)) await breakStale(path);
    else await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Creates a lock file and opens it. Returns undefined if it already exists. */
async function createLock(path: string, holder: Holder): Promise<FileHandle | undefined> {
  const lock = await inFolder(dirname(path), () => open(path, 'wx')).catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw refusalOf(path, error);
  });
  try {
    if (lock !== undefined) await allowed(path, lock.writeFile(JSON.stringify(holder)));
    return lock;
  } catch (error) {
    await lock?.close();
    await removeQuickly(path);
    throw error;
  }
}

/**
 * Removes a stale lock. Several processes may find the lock stale at the same time, but a guard file lets only one of
 * them remove it. Without the guard, a slow process could remove a new lock that a faster process has just created.
 */
async function breakStale(path: string): Promise<void> {
  const guard = `${path}${guardEnding}`;
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  await using taken = await createLock(guard, holder);
  if (taken === undefined) {
    await removeIfUntouched(guard);
    await sleep(longestWaitMs);
    return;
  }
  try {
    if (await isStale(path)) await removeQuickly(path);
  } finally {
    await removeQuickly(guard);
  }
}

const guardEnding = '.takeover';

async function removeIfUntouched(guard: string): Promise<void> {
  if (await untouched(guard, staleAfterMs)) await removeQuickly(guard);
}

async function removeIfStale(path: string): Promise<void> {
  if (await isStale(path)) await breakStale(path);
}

async function isStale(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  if (holder === undefined) return untouched(path, namelessAfterMs);
  if (holder.place === place() && !isAlive(holder)) return true;
  return untouched(path, staleAfterMs);
}

async function untouched(path: string, forMs: number): Promise<boolean> {
  const stats = await ifThere(lstat(path));
  return stats !== undefined && Date.now() - stats.mtimeMs > forMs;
}

function isAlive({ pid, token }: Holder): boolean {
  if (pid === process.pid) return heldHere.has(token);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await ifThere(readFile(path, 'utf8'));
  try {
    return text === undefined ? undefined : holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // The holder has not finished writing its identity.
  }
}

async function touch(lock: FileHandle): Promise<void> {
  const now = new Date();
  try {
    await lock.utimes(now, now);
  } catch {
    // The next renewal may succeed. If all fail, another process takes over the lock, which is harmless.
  }
}

/** Removes the lock file, unless another process has taken over the lock. */
async function release(path: string, holder: Holder, lock: FileHandle): Promise<void> {
  const [ours, there] = [await lock.stat({ bigint: true }), await ifThere(lstat(path, { bigint: true }))];
  const same = ours.ino === there?.ino && ours.dev === there.dev;
  // Some network file systems change the inode number of a file. So also recognize the lock file by the token in it.
  if (same || (await readHolder(path))?.token === holder.token) await removeQuickly(path);
}

/**
 * Returns a string that identifies the PID namespace of this process. Pids can only be compared within one namespace.
 * The host name is not enough: the containers of a pod share it, but each container has its own pids.
 */
function place(): string {
  return (knownPlace ??= [
    hostname(),
    linkTarget('/proc/self/ns/pid'),
    text('/proc/sys/kernel/random/boot_id'),
  ].join(' '));
}
let knownPlace: string | undefined;

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
