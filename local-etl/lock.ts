import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WindowId } from '../etl/window';
import { ifThere, type LocalEtl, systemCode } from './store';
import { inFolder, removeQuickly } from './write';

/**
 * These locks keep the push and the pull of one cluster apart, in one process or in several that share the volume. A
 * lock is a file that names its holder. It is created only if absent, and the holder touches it regularly. Another
 * process takes it over if its holder is dead or has not touched it for `staleAfterMs`. A holder that was only paused
 * may then overlap with the next one. This is harmless, because every step replaces whole files.
 */
const staleAfterMs = 2 * 60_000;
/**
 * Age at which a lock without a name is stale. A process writes its name into a new lock at once, so a lock that is
 * still without a name belongs to a process that was killed in between.
 */
const namelessAfterMs = 10_000;
const touchEveryMs = 20_000;
const longestWaitMs = 250;

const holderSchema = z.object({ place: z.string(), pid: z.number(), token: z.string() });
type Holder = z.infer<typeof holderSchema>;

/**
 * Tokens of the locks that this process holds. The pid is not enough: after a container restarts, a different process
 * has the same pid.
 */
const heldHere = new Set<string>();

/** Runs `work` while holding the lock of a window of this store. */
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
  const path = join(store.state, 'locks', name);
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  heldHere.add(holder.token);
  try {
    // While the lock file is open, its inode number cannot be reused, so `release` can identify the file.
    await using lock = await acquire(path, holder, signal);
    const touching = setInterval(() => void touch(lock), touchEveryMs);
    touching.unref();
    try {
      return await work();
    } finally {
      clearInterval(touching);
      await release(path, holder, lock);
    }
  } finally {
    heldHere.delete(holder.token);
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

/** Creates a lock file. Returns undefined if another holder has it. */
async function createLock(path: string, holder: Holder): Promise<FileHandle | undefined> {
  const lock = await inFolder(dirname(path), () => open(path, 'wx')).catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  });
  try {
    await lock?.writeFile(JSON.stringify(holder));
    return lock;
  } catch (error) {
    await lock?.close();
    await removeQuickly(path);
    throw error;
  }
}

/**
 * Removes a stale lock. If several processes find a lock stale, only one removes it: the guard file keeps the others
 * from removing the new lock that the first one may have taken meanwhile.
 */
async function breakStale(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  await using taken = await createLock(guard, holder);
  if (taken === undefined) {
    if (await untouched(guard, staleAfterMs)) await removeQuickly(guard);
    await sleep(longestWaitMs);
    return;
  }
  try {
    if (await isStale(path)) await removeQuickly(path);
  } finally {
    await removeQuickly(guard);
  }
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
    return undefined; // The holder has not completely written it yet.
  }
}

async function touch(lock: FileHandle): Promise<void> {
  const now = new Date();
  try {
    await lock.utimes(now, now);
  } catch {
    // The next touch may succeed. If none does, the lock is taken over, which is harmless (see above).
  }
}

/** Removes the lock, unless it was taken over. */
async function release(path: string, holder: Holder, lock: FileHandle): Promise<void> {
  const [ours, there] = [await lock.stat({ bigint: true }), await ifThere(lstat(path, { bigint: true }))];
  const same = ours.ino === there?.ino && ours.dev === there.dev;
  // Also compare the token, since some network file systems change the inode number of a file.
  if (same || (await readHolder(path))?.token === holder.token) await removeQuickly(path);
}

/**
 * Returns the scope in which a pid is meaningful. The host name is not enough: containers of one pod share it, but each
 * has its own processes.
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
