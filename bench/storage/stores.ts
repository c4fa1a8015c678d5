import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { startAzureServer } from '../../test/servers/azurite';
import { findFakeGcs, startGcsServer } from '../../test/servers/fake-gcs';
import { variables } from '../../test/servers/paths';
import { findVersitygw, startS3Server } from '../../test/servers/versitygw';

/** A store to measure, and the settings that our driver and rclone need to connect to it. */
export interface MeasuredStore {
  readonly name: string;
  /** The content of `federated-store.yaml`. */
  readonly store: object;
  /**
   * Folder that contains the objects as plain files, so that callers can write files there directly. Undefined if the
   * store is a server.
   */
  readonly directory?: string;
  readonly gcsEmulator?: string;
  /**
   * Settings for rclone. `env` contains the environment variables that define a remote named `store`. `path` is the
   * path of the bucket in that remote.
   */
  readonly rclone: { readonly env: Readonly<Record<string, string>>; readonly path: string };
  stop(): Promise<void>;
}

const remote = (settings: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`RCLONE_CONFIG_STORE_${name.toUpperCase()}`, value]),
  );

/**
 * Functions that start a store, keyed by the type of the store. Servers listen on the loopback address only. A store
 * that keeps its objects in files puts them in `folder`.
 */
export const stores: Readonly<Record<string, (folder: string) => Promise<MeasuredStore>>> = {
  async FILESYSTEM(folder) {
    const directory = path.join(folder, 'bucket');
    await mkdir(directory, { recursive: true });
    return {
      name: 'FILESYSTEM',
      store: { type: 'FILESYSTEM', config: { directory } },
      directory,
      rclone: { env: remote({ type: 'local' }), path: directory },
      stop: () => Promise.resolve(),
    };
  },

  async S3(folder) {
    process.env[variables.versitygw] ??= await findVersitygw({ say: console.error });
    const server = await startS3Server({ rootDir: path.join(folder, 's3') });
    await server.createBucket('bench');
    return {
      name: 'S3 (versitygw)',
      store: {
        type: 'S3',
        config: {
          bucket: 'bench',
          endpoint: server.endpoint.replace('http://', ''),
          region: server.region,
          access_key: server.accessKey,
          secret_key: server.secretKey,
          insecure: true,
        },
      },
      rclone: {
        env: remote({
          type: 's3',
          provider: 'Other',
          endpoint: server.endpoint,
          region: server.region,
          access_key_id: server.accessKey,
          secret_access_key: server.secretKey,
          force_path_style: 'true',
        }),
        path: 'bench',
      },
      stop: () => server.stop(),
    };
  },

  async GCS() {
    process.env[variables.fakeGcs] ??= await findFakeGcs({ say: console.error });
    const server = await startGcsServer();
    await server.createBucket('bench');
    return {
      name: 'GCS (fake-gcs-server)',
      store: { type: 'GCS', config: { bucket: 'bench' } },
      gcsEmulator: server.endpoint,
      rclone: {
        env: remote({
          type: 'google cloud storage',
          anonymous: 'true',
          endpoint: `${server.endpoint}/storage/v1/`,
        }),
        path: 'bench',
      },
      stop: () => server.stop(),
    };
  },

  async AZURE() {
    const server = await startAzureServer();
    await server.createContainer('bench');
    const { account, key, connectionString } = server;
    const signature = generateBlobSASQueryParameters(
      {
        containerName: 'bench',
        permissions: ContainerSASPermissions.parse('racwdl'),
        expiresOn: new Date(Date.now() + 24 * 3_600_000),
      },
      new StorageSharedKeyCredential(account, key),
    );
    return {
      name: 'AZURE (Azurite)',
      store: { type: 'AZURE', config: { container: 'bench', storage_connection_string: connectionString } },
      rclone: {
        env: remote({ type: 'azureblob', sas_url: `${server.endpoint}/bench?${signature.toString()}` }),
        path: 'bench',
      },
      stop: () => server.stop(),
    };
  },
};
