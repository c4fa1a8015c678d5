import type { Log } from '../config/log';
import { limitsOf } from '../operator/file-system-limits';
import { traitsOf } from '../storage/folder-traits';
import { readFederatedStore } from '../storage/open-bucket';

/** Logs a warning for each feature that the given use needs and the file system of a folder lacks. */
export async function warnOfLimits(log: Log, folder: string, use: 'local ETL' | 'bucket'): Promise<void> {
  const traits = await traitsOf(folder);
  if (traits === undefined) return;
  for (const { detail, todo } of limitsOf(traits, use))
    log.warn({ event: 'file-system.limited', folder, use }, `the ${use} ${folder}: ${detail} ${todo}`);
}

/** Like `warnOfLimits`, for the bucket. Does nothing unless the bucket is a folder. */
export async function warnOfBucketLimits(log: Log, storeFile: string): Promise<void> {
  const store = await readFederatedStore(storeFile);
  if (store.type === 'FILESYSTEM') await warnOfLimits(log, store.config.directory, 'bucket');
}
