import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { FederationError } from '../../errors/federation-error';
import { freePort } from '../../scripts/set-up/free-port';
import {
  addToCache,
  findInCache,
  findOnPath,
  goInstall,
  probe,
  type FindOptions,
  type GoServer,
} from '../../scripts/set-up/go-server';
import { startKept } from '../../scripts/set-up/kept-process';
import { describeWith } from './describe-with';
import { missing, versitygwPath } from './paths';
import { sharedServer } from './shared-servers';

/** An S3 server over a folder: checks signatures and checksums, and its conditional writes are atomic. */
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

/** Finds the S3 server, or builds it: VERSITYGW, the PATH, the project's cache, `go install`. */
export async function findVersitygw(options: FindOptions): Promise<string> {
  const { env = process.env, say } = options;
  const chosen = env['VERSITYGW'];
  if (chosen) {
    const problem = await probe(versitygw, chosen);
    if (problem === undefined) return chosen;
    say(`VERSITYGW=${chosen} cannot be used: ${problem}. Looking elsewhere.`);
  }
  const onPath = await findOnPath(versitygw, options);
  if (onPath.path !== undefined) return onPath.path;
  const cached = await findInCache(versitygw, options);
  if (cached.path !== undefined) return cached.path;
  const built = await addToCache(versitygw, options, (folder) => goInstall(versitygw, options, folder));
  if (built.path !== undefined) return built.path;
  throw new FederationError('SERVER_NOT_FOUND', {
    detail: `No S3 server for the tests could be found or built: ${built.problem}`,
    hint: `Install Go ${versitygw.minimumGo} or newer (https://go.dev/dl), or set VERSITYGW to a versitygw ${versitygw.version}.`,
  });
}

/** How to reach an S3 server. */
export interface S3Access {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

export interface S3Server extends S3Access {
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface S3ServerOptions {
  /** Where the buckets are: a folder each. */
  rootDir: string;
  /** Remove the folder with the server. */
  temporary?: boolean;
}

/**
 * Starts an S3 server of one's own over a folder, for tests that stop it or look into its files. Its file system needs
 * extended attributes (ext4, xfs, btrfs, APFS have them).
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { rootDir, temporary = false } = options;
  const root = path.resolve(rootDir);
  await mkdir(root, { recursive: true });
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-s3-'));
  const remove = temporary ? [scratch, root] : [scratch];
  const cleanUp = (): Promise<unknown> =>
    Promise.all(remove.map((folder) => rm(folder, { recursive: true, force: true })));
  const logFile = path.join(scratch, 'versitygw.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(undefined);
    const access: S3Access = {
      endpoint: `http://127.0.0.1:${port}`,
      accessKey: 'test-key',
      secretKey: randomBytes(16).toString('hex'),
      region: 'us-east-1',
    };
    const kept = await startKept(versitygwPath(), ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', root], {
      env: { ...process.env, ROOT_ACCESS_KEY: access.accessKey, ROOT_SECRET_KEY: access.secretKey },
      logFile,
      remove,
    });
    const deadline = Date.now() + 20_000;
    while (kept.exit() === undefined && Date.now() < deadline) {
      if (await answersAsItself(access)) {
        kept.unref();
        const stop = async (): Promise<void> => {
          await kept.stop();
          await cleanUp();
        };
        return { ...access, createBucket: (name) => createBucket(access, name), stop };
      }
      await sleep(20);
    }
    await kept.stop();
    const log = await readFile(logFile, 'utf8').catch(() => '');
    // A free port is only known to be free: somebody may have taken it before the server did.
    if (attempt < 3 && /address already in use/.test(log)) continue;
    await cleanUp();
    throw new Error(`the S3 server did not start over ${root}: ${log.trim() || 'it does not answer'}`);
  }
}

/** The S3 server that all test files of a run share. Each makes buckets of its own. */
export async function connectToS3(): Promise<S3Access & { createBucket(name: string): Promise<void> }> {
  const access = await sharedServer<S3Access>('s3');
  return { ...access, createBucket: (name) => createBucket(access, name) };
}

/** A suite that needs an S3 server. */
export function describeWithS3(name: string, suite: () => void): void {
  describeWith(missing('versitygwMissing'), name, suite);
}

/** By the key of this very start, so that another server on the port is not taken for it. */
async function answersAsItself(access: S3Access): Promise<boolean> {
  return withClient(access, (client) => client.send(new ListBucketsCommand())).then(
    () => true,
    () => false,
  );
}

async function createBucket(access: S3Access, name: string): Promise<void> {
  await withClient(access, (client) => client.send(new CreateBucketCommand({ Bucket: name })));
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
