import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInThisContext } from 'node:vm';

/** A folder on a disk that a test can fill up. */
export interface Disk {
  readonly folder: string;
  /** Limits the size of the disk. What is already on the disk counts, too. */
  limit(bytes: number): void;
  /** Removes the limit. */
  free(): void;
  dispose(): void;
}

/** Mounts a file system in memory (tmpfs). Throws if this process may not mount any. */
function mounted(): Disk {
  const folder = mkdtempSync(path.join(tmpdir(), 'full-disk-'));
  const mount = (...args: string[]) => run('mount', ['-o', ...args, folder]);
  const resize = (size: string) => mount(`remount,size=${size}`);
  try {
    mount('size=1g', '-t', 'tmpfs', 'tmpfs');
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    folder,
    limit: (bytes) => {
      const { blocks, bfree, bsize } = statfsSync(folder);
      resize(String(Math.max(bytes, (blocks - bfree) * bsize)));
    },
    free: () => resize('1g'),
    dispose: () => {
      run('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'pipe' });
}

/**
 * Limits the size of each file that this process writes. Unlike mounting, this needs no privileges. To the database,
 * the limit looks like a disk quota.
 */
function limited(): Disk {
  const folder = mkdtempSync(path.join(tmpdir(), 'full-disk-'));
  const limit = (bytes: string) => run('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  const free = () => limit('unlimited');
  // When a file would exceed the limit, the kernel sends this signal. Node ignores it, but jest exits if the real
  // process object has no listener for it. The `process` that tests see is only a copy of the real object.
  const real = runInThisContext('process') as NodeJS.Process;
  real.on('SIGXFSZ', ignore);
  return {
    folder,
    limit: (bytes) => limit(String(bytes)),
    free,
    dispose: () => {
      free();
      real.off('SIGXFSZ', ignore);
      rmSync(folder, { recursive: true });
    },
  };
}

function ignore(): void {}

/**
 * The ways of filling a disk that work on this machine, each with its name for test titles. The file size limit always
 * works.
 */
export const disks: readonly (readonly [string, () => Disk])[] = [
  ...(canMount() ? [['a full volume', mounted] as const] : []),
  ['a file size limit', limited],
];

function canMount(): boolean {
  try {
    mounted().dispose();
    return true;
  } catch {
    return false;
  }
}
