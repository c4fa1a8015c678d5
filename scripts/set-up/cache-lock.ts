import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process-alive';

export interface CacheLockOptions {
  /** Called once, when somebody else holds it. */
  onWait?: (holder: string) => void;
  /** A holder that gave no sign of life for so long is taken to be gone (30 s). */
  staleAfterMs?: number;
  pollMs?: number;
}

/**
 * Runs one task at a time across processes, by a file that its holder touches while it works. A lock whose holder is
 * gone is taken over. It spares the same work being done twice and nothing more: two takers of one stale lock may
 * both go ahead, so what they make has to be put in place atomically.
 */
export async function withCacheLock<T>(
  file: string,
  options: CacheLockOptions,
  task: () => Promise<T>,
): Promise<T> {
  const { staleAfterMs = 30_000, pollMs = 500 } = options;
  const mine = JSON.stringify({ pid: process.pid, host: os.hostname() });
  for (let told = false; !(await create(file, mine));) {
    const holder = await readFile(file, 'utf8').catch(() => undefined);
    if (holder === undefined) continue;
    if (await isStale(file, holder, staleAfterMs)) {
      // Renamed first, so that of two takers only one removes it.
      const aside = `${file}.${process.pid}.stale`;
      await rename(file, aside).catch(() => undefined);
      await rm(aside, { force: true });
      continue;
    }
    if (!told) options.onWait?.(describeHolder(holder));
    told = true;
    await sleep(pollMs);
  }
  const beat = setInterval(() => void touch(file), Math.max(staleAfterMs / 6, 50));
  beat.unref();
  try {
    return await task();
  } finally {
    clearInterval(beat);
    if ((await readFile(file, 'utf8').catch(() => '')) === mine) await rm(file, { force: true });
  }
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string, holder: string, staleAfterMs: number): Promise<boolean> {
  const { pid, host } = parseHolder(holder);
  if (host === os.hostname() && pid !== undefined && !isAlive(pid)) return true;
  // A cache folder may be shared by machines, and a killed holder's id may be another process's by now.
  const touched = await stat(file).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs > staleAfterMs;
}

function parseHolder(text: string): { pid?: number; host?: string } {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // Half-written: its age decides.
    return {};
  }
}

function describeHolder(text: string): string {
  const { pid, host } = parseHolder(text);
  return pid === undefined ? 'another process' : `process ${pid} on ${host}`;
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}
