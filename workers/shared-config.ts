import type { Client } from '@temporalio/client';
import type { Log } from '../config/log';
import { othersWithExistingConfig, sharedConfigWarning } from '../operator/shared-config';
import type { Names } from '../workflows/names';

/**
 * Warns if `useExistingS3Config` is set on other clusters too. All these clusters then use the storage of Kubecost's
 * backup, which makes the backup unreliable. Ignores errors, since this is only a warning.
 */
export async function warnOfSharedConfig(
  client: Client,
  names: Names,
  cluster: string,
  log: Log,
): Promise<void> {
  const others = await othersWithExistingConfig(client, names, cluster).catch(() => []);
  if (others.length > 0)
    log.warn({ event: 'storage.shared-with-backup', clusters: others }, sharedConfigWarning(others));
}
