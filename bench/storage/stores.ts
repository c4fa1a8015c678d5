import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findVersitygw, startS3Server } from '../../test/servers/versitygw';
import { variables } from '../../test/servers/paths';

/** A store to measure: our settings for it, and rclone's. */
export interface MeasuredStore {
  readonly name: string;
  /** What `federated-store.yaml` says. */
  readonly store: object;
  /** Variables that make it rclone's remote `store:`, and the path of the bucket there. */
  readonly rclone: { readonly env: Readonly<Record<string, string>>; readonly path: string };
  stop(): Promise<void>;
}

const remote = (settings: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`RCLONE_CONFIG_STORE_${name.toUpperCase()}`, value]),
  );

/** The stores by name, each started when it is measured: servers on loopback, with their files below `folder`. */
export const stores: Readonly<Record<string, (folder: string) => Promise<MeasuredStore>>> = {
  async FILESYSTEM(folder) {
    const directory = path.join(folder, 'bucket');
    await mkdir(directory, { recursive: true });
    return {
      name: 'FILESYSTEM',
      store: { type: 'FILESYSTEM', config: { directory } },
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
};
