import { readFile } from 'node:fs/promises';
import { FederationError } from '../errors/federation-error';
import type { Bucket } from './bucket';
import { parseFederatedStore, type FederatedStore } from './federated-store';
import { openFilesystem } from './drivers/filesystem';
import { openS3 } from './drivers/s3';
import { withPrefix } from './with-prefix';
import { withRetry } from './with-retry';

export interface OpenBucketOptions {
  /** Told, once each, what the store's settings ask for that does not happen. */
  readonly warn?: (message: string) => void;
}

/** Opens a store: below its prefix, and patient. Nothing is asked of it yet. To be closed by who opened it. */
export async function openBucket(
  store: FederatedStore,
  { warn = () => undefined }: OpenBucketOptions = {},
): Promise<Bucket> {
  for (const warning of store.warnings) warn(warning);
  const tries = store.type === 'S3' ? store.config.max_retries || undefined : undefined;
  return withRetry(
    withPrefix(await openDriver(store, warn), store.prefix),
    tries === undefined ? {} : { tries },
  );
}

/** The same from the file that describes the store. STORE_CONFIG_INVALID when it cannot be read. */
export async function openBucketFromFile(path: string, options: OpenBucketOptions = {}): Promise<Bucket> {
  return openBucket(parseFederatedStore(await readStoreFile(path), path), options);
}

async function openDriver(store: FederatedStore, warn: (message: string) => void): Promise<Bucket> {
  if (store.type === 'FILESYSTEM') return openFilesystem(store.config, { warn });
  return openS3(store.config);
}

async function readStoreFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new FederationError('STORE_CONFIG_INVALID', { detail: `${path} cannot be read.`, cause });
  }
}
