import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateBucketCommand,
  ListBucketsCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram, startOnFreePort } from './go-program';
import { missing, versitygwPath } from './paths';
import type { S3Users } from './s3-users';
import { sharedServer } from './shared-servers';

/**
 * An S3 server that stores each bucket as a folder. It verifies signatures and checksums, and its conditional writes
 * are atomic.
 */
export const versitygw: GoServer = {
  name: 'versitygw',
  version: '1.8.0',
  goPackage: 'github.com/versity/versitygw/cmd/versitygw',
  ldflags: '-s -w',
  minimumGo: '1.25',
  packages: 589,
  coldBuild: '3 minutes',
  probes: [{ args: ['--help'], mustSay: ['posix'] }],
};

/**
 * Finds the S3 server. Looks at the path in VERSITYGW, on the PATH and in the project's cache. If the server is not
 * there, builds it with `go install`.
 */
export async function findVersitygw(options: FindOptions): Promise<string> {
  return findGoProgram(versitygw, 'VERSITYGW', options);
}

/** Address and credentials with which a client connects to an S3 server. */
export interface S3Access {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** Returns the content of a `federated-store.yaml` for a bucket on this server. */
export function s3Store(s3: S3Access, bucket: string): { type: 'S3'; config: object } {
  return {
    type: 'S3',
    config: {
      bucket,
      endpoint: s3.endpoint.replace('http://', ''),
      region: s3.region,
      access_key: s3.accessKey,
      secret_key: s3.secretKey,
      insecure: true,
    },
  };
}

export interface S3Server extends S3Access {
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface S3ServerOptions {
  /** Folder in which the server stores each bucket as a folder. */
  rootDir: string;
  /** Whether to delete `rootDir` when the server stops. (Default: false) */
  temporary?: boolean;
  /**
   * Users of the server, each with their own permissions. (Default: no users. Then only the server's root key is
   * valid.)
   */
  users?: S3Users;
  /** Folder for older versions of objects. (Default: none. Then buckets cannot be versioned.) */
  versionsDir?: string;
}

/**
 * Starts a separate S3 server on a folder, for tests that have to stop their server or read its files. The folder's
 * file system must support extended attributes, as ext4, xfs, btrfs and APFS do.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { rootDir, temporary = false, users, versionsDir } = options;
  const root = path.resolve(rootDir);
  await mkdir(root, { recursive: true });
  const key = { accessKey: 'test-key', secretKey: randomBytes(16).toString('hex') };
  const accessAt = (port: number): S3Access => ({
    endpoint: `http://127.0.0.1:${port}`,
    ...key,
    region: 'us-east-1',
  });
  const { port, stop } = await startOnFreePort({
    name: versitygw.name,
    binary: versitygwPath(),
    args: (at) => [
      ...['--port', `127.0.0.1:${at}`, '--quiet', '--keep-alive', 'posix'],
      ...(versionsDir === undefined ? [] : ['--versioning-dir', versionsDir]),
      root,
    ],
    env: {
      ...process.env,
      ...users?.gatewayEnv,
      ROOT_ACCESS_KEY: key.accessKey,
      ROOT_SECRET_KEY: key.secretKey,
    },
    answers: (at) => answersAsItself(accessAt(at)),
    remove: temporary ? [root] : [],
  });
  const access = accessAt(port);
  return { ...access, createBucket: (name) => createBucket(access, name), stop };
}

/** Connects to the S3 server that all test files of a run share. Each test file creates its own buckets there. */
export async function connectToS3(): Promise<S3Access & { createBucket(name: string): Promise<void> }> {
  const access = await sharedServer<S3Access>('s3');
  return { ...access, createBucket: (name) => createBucket(access, name) };
}

/** Returns the section `config` of a `federated-store.yaml` for a bucket on this server. */
export function s3Settings({ endpoint, region, accessKey, secretKey }: S3Access, bucket: string) {
  return {
    bucket,
    endpoint: endpoint.replace('http://', ''),
    region,
    access_key: accessKey,
    secret_key: secretKey,
    insecure: true,
  };
}

/** Defines a suite that needs an S3 server. */
export function describeWithS3(name: string, suite: () => void): void {
  describeWith(missing('versitygwMissing'), name, suite);
}

/**
 * Returns whether the server on this port accepts the key of the server that was just started. If not, another server
 * listens on the port.
 */
async function answersAsItself(access: S3Access): Promise<boolean> {
  return withClient(access, (client) => client.send(new ListBucketsCommand())).then(
    () => true,
    () => false,
  );
}

async function createBucket(access: S3Access, name: string): Promise<void> {
  await withClient(access, (client) => client.send(new CreateBucketCommand({ Bucket: name })));
}

/** Creates a versioned bucket whose objects cannot be deleted for a day (Object Lock). */
export async function createLockedBucket(access: S3Access, name: string): Promise<void> {
  await withClient(access, async (client) => {
    await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket: name,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
        },
      }),
    );
  });
}

async function withClient<T>(access: S3Access, use: (client: S3Client) => Promise<T>): Promise<T> {
  const client = new S3Client({
    endpoint: access.endpoint,
    region: access.region,
    credentials: { accessKeyId: access.accessKey, secretAccessKey: access.secretKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}
