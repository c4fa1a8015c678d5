import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FederationError } from '../errors/federation-error';
import type { Bucket } from './bucket';
import { openAzure } from './drivers/azure';
import { azurePatience } from './drivers/azure-config';
import { openFilesystem } from './drivers/filesystem';
import { openGcs } from './drivers/gcs';
import { openS3 } from './drivers/s3';
import { type FederatedStore, parseFederatedStore } from './federated-store';
import { withRenewal } from './renew-credentials';
import { type StorageCall, withMetrics } from './with-metrics';
import { withPrefix } from './with-prefix';
import { type RetryOptions, withRetry } from './with-retry';

export interface OpenBucketOptions {
  /** Called with each warning, such as one about the store's settings, or about its file after a change. */
  readonly warn?: (message: string) => void;
  /** Called with the reason if a changed file cannot be used, and with undefined once it can. */
  readonly kept?: (why: string | undefined) => void;
  /** Called when the store's file has changed and its new content is used from now on. */
  readonly renewed?: (message: string) => void;
  /** Called after each attempt of a call to the store, including failed attempts that are retried. */
  readonly observe?: (call: StorageCall) => void;
  /**
   * URL of a GCS emulator to use instead of GCS. The SDK's environment variable STORAGE_EMULATOR_HOST has no effect.
   */
  readonly gcsEmulator?: string | undefined;
}

/**
 * Opens a store as a bucket, limited to the store's prefix. Retries failed calls. If the store was read from a file,
 * the bucket reads the file again when its content changes, for example to get new credentials. Sends no request yet.
 * The caller must close the bucket.
 */
export async function openBucket(
  store: FederatedStore,
  { warn = () => undefined, renewed = () => undefined, kept, observe, gcsEmulator }: OpenBucketOptions = {},
): Promise<Bucket> {
  for (const warning of store.warnings) warn(warning);
  const open = (described: FederatedStore) => openDriver(described, warn, gcsEmulator);
  const { origin } = store;
  const driver =
    origin === undefined
      ? await open(store)
      : await withRenewal(store, {
          open,
          read: () => readFederatedStore(origin.file),
          warn,
          renewed,
          ...(kept && { kept }),
        });
  const observed = observe === undefined ? driver : withMetrics(driver, observe);
  return withRetry(withPrefix(observed, store.prefix), patienceOf(store));
}

/** Returns the number of attempts and the pauses between them, as set in the store's configuration. */
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

/**
 * Opens the store that a `federated-store.yaml` file describes. Throws STORE_CONFIG_INVALID if the file is unreadable
 * or invalid.
 */
export async function openBucketFromFile(path: string, options: OpenBucketOptions = {}): Promise<Bucket> {
  return openBucket(await readFederatedStore(path), options);
}

/** Reads and parses a `federated-store.yaml` file. Throws STORE_CONFIG_INVALID if the file is unreadable or invalid. */
export async function readFederatedStore(path: string): Promise<FederatedStore> {
  const text = await readStoreFile(path);
  const store = parseFederatedStore(text, path);
  const digest = createHash('sha256').update(text);
  for (const file of certificatesOf(store)) {
    // Ignore a file that cannot be read, because opening the store will report it.
    digest.update('\0').update(await readFile(file).catch(() => ''));
  }
  return { ...store, origin: { file: path, digest: digest.digest('base64') } };
}

/** Returns the paths of the certificates and keys that the store's configuration names. */
function certificatesOf(store: FederatedStore): string[] {
  if (store.type === 'FILESYSTEM') return [];
  const { ca_file, cert_file, key_file } = store.config.http_config.tls_config;
  return [ca_file, cert_file, key_file].filter((path) => path !== undefined);
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
