import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder that a test can make read-only, like a volume that is mounted read-only. */
export class ReadOnlyVolume implements Disposable {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'read-only-'));

  constructor() {
    try {
      mount('--bind', this.folder, this.folder);
    } catch (error) {
      rmSync(this.folder, { recursive: true });
      throw error;
    }
  }

  /** Makes the folder read-only: from now on, every attempt to write fails with EROFS. */
  lock(): void {
    mount('-o', 'remount,ro,bind', this.folder);
  }

  unlock(): void {
    mount('-o', 'remount,rw,bind', this.folder);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.folder], { stdio: 'pipe' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

/**
 * Defines a suite that mounts volumes. If this process is not allowed to mount, skips the suite, with that reason in
 * its name.
 */
export function describeWithMounts(name: string, suite: () => void): void {
  if (canMount()) describe(name, suite);
  else describe.skip(`${name} (skipped: this process may not mount volumes)`, suite);
}

function canMount(): boolean {
  try {
    new ReadOnlyVolume()[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}
