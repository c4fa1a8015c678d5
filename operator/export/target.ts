import { resolve } from 'node:path';
import type { Log } from '../../config/log';
import { openLoggedBucket } from '../../config/open-logged-bucket';
import type { StorageSettings } from '../../config/storage-settings';
import { FederationError } from '../../errors/federation-error';
import { exportPrefix } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import { makeFolder } from '../../storage/make-folder';
import { openBucket } from '../../storage/open-bucket';
import { withPrefix } from '../../storage/with-prefix';

/** Destination of an export. Use it with `await using`, which closes it. */
export interface ExportTarget extends AsyncDisposable {
  /**
   * Name of the destination in messages and in `--json`: the folder as the user gave it, or the address in the bucket.
   */
  readonly name: string;
  /** Bucket to write to. Its root is the root of the export. */
  readonly bucket: Bucket;
}

/** Opens the export folder in the federation's bucket as the destination of an export. */
export async function exportInBucket(storage: StorageSettings, log: Log): Promise<ExportTarget> {
  const whole = await openLoggedBucket(storage, log);
  const bucket = withPrefix(whole, exportPrefix.slice(0, -1));
  return { name: bucket.label, bucket, [Symbol.asyncDispose]: () => whole.close() };
}

/**
 * Opens a folder as the destination of an export, and creates the folder if it is missing. Each file is written under a
 * temporary name and then renamed.
 *
 * @throws STORAGE_UNAVAILABLE if the folder cannot be created
 */
export async function exportFolder(folder: string): Promise<ExportTarget> {
  const directory = resolve(folder);
  try {
    await makeFolder(directory);
  } catch (cause) {
    throw new FederationError('STORAGE_UNAVAILABLE', {
      subject: { key: folder },
      detail: `The folder cannot be created: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Give --out a writable folder.',
      retryable: false,
      cause,
    });
  }
  const bucket = await openBucket({
    type: 'FILESYSTEM',
    config: { directory },
    prefix: '',
    warnings: [],
    unknown: [],
  });
  return { name: folder, bucket, [Symbol.asyncDispose]: () => bucket.close() };
}
