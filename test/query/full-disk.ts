import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runInThisContext } from 'node:vm';

/** A folder on a disk that can really become full. */
export interface Disk {
  readonly folder: string;
  /** From now on there is room for so many bytes in all, what is there already included. */
  limit(bytes: number): void;
  /** There is room again. */
  free(): void;
  dispose(): void;
}

/** A disk of its own, in memory. Throws where nobody may mount one. */
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

/** The system refuses this process files that are larger: anybody may have that, and it is a disk quota to the database. */
function limited(): Disk {
  const folder = mkdtempSync(path.join(tmpdir(), 'full-disk-'));
  const limit = (bytes: string) => run('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  const free = () => limit('unlimited');
  // Node ignores the signal, but jest takes it for an end unless the process, not a test's copy of it, has a listener.
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

/** The ways to fill a disk that this machine has, by name; there is always one. */
export const disks: readonly (readonly [string, () => Disk])[] = [
  ...(canMount() ? [['a volume that is full', mounted] as const] : []),
  ['a limit on the size of files', limited],
];

function canMount(): boolean {
  try {
    mounted().dispose();
    return true;
  } catch {
    return false;
  }
}
