import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInThisContext } from 'node:vm';

/** A folder on a disk that a test can fill up. */
export interface Disk {
  readonly folder: string;
  /** Limits the total size of the files in the folder, including those that are already there. */
  limit(bytes: number): void;
  /** Removes the limit. */
  free(): void;
  dispose(): void;
}

/** Creates a disk by mounting a tmpfs (a file system in memory). Throws if this process may not mount file systems. */
export function mounted(): Disk {
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
 * Imitates a full disk by limiting the size of each file that this process writes. This needs no privileges, unlike
 * mounting. The database treats the limit like a disk quota.
 */
function limited(): Disk {
  const folder = mkdtempSync(path.join(tmpdir(), 'full-disk-'));
  const limit = (bytes: string) => run('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  const free = () => limit('unlimited');
  // The kernel sends SIGXFSZ when a file would exceed the limit. Jest exits at this signal unless the process has a
  // listener for it. Tests see only a copy of the process object, so add the listener to the real one.
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
 * The ways to imitate a full disk that work on this machine, each with a name for test titles. The file size limit
 * works everywhere.
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
