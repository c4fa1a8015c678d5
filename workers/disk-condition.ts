import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { errorLine } from '../errors/error-line';
import { type Finding, isNearlyFull, leastFree, type VolumeSpace } from '../federation/conditions';
import { systemCode } from '../local-etl/store';
import { formatBytes } from '../operator/format';

/** A folder to which a role writes, and the name of the setting that contains the folder's path. */
export interface WrittenFolder {
  readonly setting: string;
  readonly folder: string;
}

/** Checks that each of these folders can be written to, and that its volume is not nearly full. */
export async function lookAtDisks(folders: readonly WrittenFolder[]): Promise<Finding> {
  for (const { setting, folder } of folders) {
    const where = `${setting}, ${folder},`;
    try {
      await access(folder, constants.W_OK);
      const { blocks, bavail, bsize } = await statfs(folder);
      const finding = judgeSpace(where, { size: blocks * bsize, free: bavail * bsize });
      if (finding.holds !== 'yes') return finding;
    } catch (error) {
      if (systemCode(error) === 'EROFS')
        return { holds: 'no', reason: `The volume of ${where} is read-only. Mount it writable.` };
      return { holds: 'no', reason: `${where} cannot be written to: ${errorLine(error)}.` };
    }
  }
  return { holds: 'yes' };
}

/**
 * Judges the free space of a volume. The reason does not contain the current free space, because that number changes
 * all the time, and every change of the reason is reported to Temporal.
 */
export function judgeSpace(where: string, space: VolumeSpace): Finding {
  if (!isNearlyFull(space)) return { holds: 'yes' };
  const room = `less than ${formatBytes(leastFree(space.size))} of ${formatBytes(space.size)} is free`;
  return {
    holds: 'no',
    reason: `The volume of ${where} is nearly full: ${room}. Enlarge it, or free space.`,
  };
}
