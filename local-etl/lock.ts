import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdir, open, readFile, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WindowId } from '../etl/window';
import { ifThere, type LocalEtl, systemCode } from './store';

/**
 * Locks between the push and the pull of one cluster, in one process or in several that share the volume. A lock is a
 * file that names its holder, created only if absent and touched while it is held. One whose holder is dead, or that
 * has not been touched for `staleAfterMs`, is taken over: a holder that was only paused may then overlap with the next
 * one, which every step survives because each replaces whole files.
 */
const staleAfterMs = 2 * 60_000;
const touchEveryMs = 20_000;
const longestWaitMs = 250;

const holderSchema = z.object({ place: z.string(), pid: z.number(), token: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** The tokens that this very process holds: after a restart in a container, another process has the same pid. */
const heldHere = new Set<string>();

/** Does the work while nobody else works on that window of this store. */
export async function withWindowLock<T>(
  store: LocalEtl,
  window: WindowId,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return withLock(store, window.replaceAll('/', '~'), work, signal);
}

/** The same for anything that has a name. */
export async function withLock<T>(
  store: LocalEtl,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const folder = join(store.memory, 'locks');
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  heldHere.add(holder.token);
  const touching = setInterval(() => void touch(path, holder), touchEveryMs);
  touching.unref();
  try {
    await acquire(path, holder, signal);
    return await work();
  } finally {
    clearInterval(touching);
    await release(path, holder);
    heldHere.delete(holder.token);
  }
}

async function acquire(path: string, holder: Holder, signal: AbortSignal | undefined): Promise<void> {
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    signal?.throwIfAborted();
    if (await createLock(path, holder)) return;
    if (await isStale(path)) await breakStale(path);
    else await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

async function createLock(path: string, holder: Holder): Promise<boolean> {
  try {
    await using handle = await open(path, 'wx');
    await handle.writeFile(JSON.stringify(holder));
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Of many that find a lock stale one removes it. The guard makes sure that nobody removes the lock that the first of
 * them has taken meanwhile.
 */
async function breakStale(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  const holder: Holder = { place: place(), pid: process.pid, token: randomUUID() };
  if (!(await createLock(guard, holder))) {
    if (await untouched(guard)) await rm(guard, { force: true });
    await sleep(longestWaitMs);
    return;
  }
  try {
    if (await isStale(path)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function isStale(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  if (holder !== undefined && holder.place === place() && !isAlive(holder)) return true;
  return untouched(path);
}

async function untouched(path: string): Promise<boolean> {
  const stats = await ifThere(lstat(path));
  return stats !== undefined && Date.now() - stats.mtimeMs > staleAfterMs;
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
    return undefined; // Not written out yet: only its age can make it stale.
  }
}

async function touch(path: string, holder: Holder): Promise<void> {
  const now = new Date();
  try {
    if ((await readHolder(path))?.token === holder.token) await utimes(path, now, now);
  } catch {
    // The next touch may succeed; if none does, the lock is taken over, which every step survives.
  }
}

async function release(path: string, holder: Holder): Promise<void> {
  if ((await readHolder(path))?.token === holder.token) await rm(path, { force: true });
}

/** Where a pid means something: containers of one pod have one host name, but each its own processes. */
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
