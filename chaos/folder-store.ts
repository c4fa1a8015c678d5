import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { generationsPrefix } from '../federation/layout';
import { reservedNames } from '../storage/check-key';
import { openFilesystem } from '../storage/drivers/filesystem';
import type { ChaosStore } from './store';

const run = promisify(execFile);

/** Size of the volume. It is in RAM, but only what is used of it takes any. */
const volumeSize = '4g';

/**
 * Makes a folder that is used as a bucket. It is on a volume of its own, so that the disk can become full or read-only,
 * if this process may mount volumes.
 */
export async function startFolderStore(dir: string): Promise<ChaosStore> {
  const volume = path.join(dir, 'volume');
  const folder = path.join(volume, 'bucket');
  await mkdir(volume, { recursive: true });
  const mounted = await mountVolume(volume);
  await mkdir(folder);
  const bucket = openFilesystem({ directory: folder });
  let presence: number | undefined = 0;
  let moves = 0;
  const away = `${folder}.away`;
  const moveAway = async () => {
    presence = undefined;
    await rename(folder, away);
  };
  const bringBack = async () => {
    await rename(away, folder);
    presence = ++moves;
  };

  const faults: Record<string, () => Promise<() => Promise<string | undefined>>> = {
    away: async () => {
      await moveAway();
      return async () => {
        await bringBack();
        return undefined;
      };
    },
    empty: async () => {
      await moveAway();
      await mkdir(folder);
      return async () => {
        const replacement = `${folder}.replacement`;
        await rename(folder, replacement);
        await bringBack();
        const begun = await readdir(path.join(replacement, generationsPrefix)).catch(() => []);
        await rm(replacement, { recursive: true, force: true });
        return begun.length === 0 ? undefined : `a federation began in an empty folder: ${begun.join(', ')}`;
      };
    },
  };
  if (mounted) {
    const remount = async (option: string) => {
      await run('mount', ['-o', `remount,${option}`, volume]);
      return undefined;
    };
    /** Remounts as soon as that is possible. The system refuses it while a process writes. */
    const remountBetweenWrites = async (option: () => Promise<string>) => {
      for (let tries = 1; ; tries++) {
        try {
          return await remount(await option());
        } catch (error) {
          if (tries === 100) throw error;
        }
      }
    };
    faults['full'] = async () => {
      await remountBetweenWrites(async () => {
        const { bsize, blocks, bfree } = await statfs(volume);
        return `size=${bsize * (blocks - bfree)}`;
      });
      return () => remount(`size=${volumeSize}`);
    };
    faults['read-only'] = async () => {
      await remountBetweenWrites(async () => 'ro');
      return () => remount('rw');
    };
  }

  return {
    name: 'folder',
    config: { type: 'FILESYSTEM', config: { directory: folder } },
    faults: Object.keys(faults),
    missing: mounted ? [] : ['full, read-only: this process may not mount volumes'],
    bucket,
    clockMs: 1,
    inject: async (fault) => {
      const begin = faults[fault];
      if (begin === undefined) throw new RangeError(`A folder has no fault ${fault}.`);
      return begin();
    },
    presence: () => presence,
    leftovers: async () => {
      const names = await readdir(folder, { recursive: true });
      return names.filter((name) => path.basename(name).startsWith(reservedNames[0]));
    },
    keep: (copy) => cp(folder, copy, { recursive: true }),
    close: async () => {
      await bucket.close();
      if (mounted) await run('umount', ['-l', volume]);
    },
  };
}

async function mountVolume(volume: string): Promise<boolean> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${volumeSize}`, 'tmpfs', volume]);
    return true;
  } catch {
    return false;
  }
}
