import { readFile } from 'node:fs/promises';
import { FederationError } from '../errors/federation-error';
import type { Bucket } from './bucket';
import { parseFederatedStore, type FederatedStore } from './federated-store';
import { azurePatience } from './drivers/azure-config';
import { openFilesystem } from './drivers/filesystem';
import { openAzure } from './drivers/azure';
import { openGcs } from './drivers/gcs';
import { openS3 } from './drivers/s3';
import { withMetrics, type StorageCall } from './with-metrics';
import { withPrefix } from './with-prefix';
import { withRetry, type RetryOptions } from './with-retry';

export interface OpenBucketOptions {
  /** Told, once each, what the store's settings ask for that does not happen. */
  readonly warn?: (message: string) => void;
  /** Told each call that was made of the store, attempts that failed included. */
  readonly observe?: (call: StorageCall) => void;
  /** Where an emulator of GCS is, a URL: only then is GCS itself not asked. The SDK's own variable has no effect. */
  readonly gcsEmulator?: string | undefined;
}

/** Opens a store: below its prefix, and patient. Nothing is asked of it yet. To be closed by who opened it. */
export async function openBucket(
  store: FederatedStore,
  { warn = () => undefined, observe, gcsEmulator }: OpenBucketOptions = {},
): Promise<Bucket> {
  for (const warning of store.warnings) warn(warning);
  const driver = await openDriver(store, warn, gcsEmulator);
  const observed = observe === undefined ? driver : withMetrics(driver, observe);
  return withRetry(withPrefix(observed, store.prefix), patienceOf(store));
}

/** How often and how soon, where the store's own settings say so. */
function patienceOf(store: FederatedStore): RetryOptions {
  switch (store.type) {
    case 'AZURE':
      return azurePatience(store.config);
    case 'FILESYSTEM':
      return {};
    case 'S3':
    case 'GCS':
      return store.config.max_retries === 0 ? {} : { tries: store.config.max_retries };
  }
}

/** The same from the file that describes the store. STORE_CONFIG_INVALID when it cannot be read. */
export async function openBucketFromFile(path: string, options: OpenBucketOptions = {}): Promise<Bucket> {
  return openBucket(await readFederatedStore(path), options);
}

/** Reads and parses it. STORE_CONFIG_INVALID when it cannot be. */
export async function readFederatedStore(path: string): Promise<FederatedStore> {
  return parseFederatedStore(await readStoreFile(path), path);
}

async function openDriver(
  store: FederatedStore,
  warn: (message: string) => void,
  gcsEmulator?: string,
): Promise<Bucket> {
  switch (store.type) {
    case 'S3':
      return openS3(store.config);
    case 'GCS':
      return openGcs(store.config, gcsEmulator === undefined ? {} : { apiEndpoint: gcsEmulator });
    case 'AZURE':
      return openAzure(store.config);
    case 'FILESYSTEM':
      return openFilesystem(store.config, { warn });
  }
}

async function readStoreFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new FederationError('STORE_CONFIG_INVALID', { detail: `${path} cannot be read.`, cause });
  }
}
