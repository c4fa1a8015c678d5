import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKept } from '../../scripts/set-up/kept-process';
import { versitygwPath } from './paths';

/** A user of an S3 server, with an access key. */
export interface S3User {
  readonly arn: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A server that manages the users of an S3 server. Each user has their own policies. */
export interface S3Users {
  /** Environment variables for the S3 server. They make the S3 server look up its users in this server. */
  readonly gatewayEnv: Readonly<Record<string, string>>;
  /** Creates a user with exactly the permissions that these IAM policy documents grant together. */
  create(name: string, documents: readonly string[]): Promise<S3User>;
  /** Replaces the access key of a user. The old key is refused from now on. */
  rotate(name: string, old: S3User): Promise<S3User>;
  stop(): Promise<void>;
}

/**
 * Starts the server that manages the users of an S3 server. Pass the result to `startS3Server`. Stop the S3 server
 * before this server.
 */
export async function startS3Users(): Promise<S3Users> {
  // Keep this path short, because the folder contains sockets, and the path of a socket has at most about 100 bytes.
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-iam-'));
  const control = path.join(scratch, 'control');
  const gateway = path.join(scratch, 'gateway');
  const logFile = path.join(scratch, 'versitygw.log');
  const root = { accessKey: 'iam-key', secretKey: randomBytes(16).toString('hex') };
  const dir = path.join(scratch, 'users');
  await mkdir(dir);
  const kept = await startKept(
    versitygwPath(),
    ['--port', control, '--quiet', 'iam', '--quiet', '--dir', dir, '--private-ports', gateway],
    {
      env: { ...process.env, ROOT_ACCESS_KEY: root.accessKey, ROOT_SECRET_KEY: root.secretKey },
      logFile,
      remove: [scratch],
    },
  );
  const stop = async (): Promise<void> => {
    await kept.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  const ask = (action: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> =>
    askIam(control, root, new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }));
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    const fault = await ask('ListUsers').then(
      () => undefined,
      (error: unknown) => error,
    );
    if (fault === undefined) break;
    if (kept.exit() === undefined && Date.now() < deadline) continue;
    const log = await readFile(logFile, 'utf8').catch(() => '');
    await stop();
    throw new Error(`the users' server did not start: ${log.trim()}`, { cause: fault });
  }
  kept.unref();
  const createKey = async (name: string) => {
    const key = await ask('CreateAccessKey', { UserName: name });
    return { accessKey: element(key, 'AccessKeyId'), secretKey: element(key, 'SecretAccessKey') };
  };
  return {
    gatewayEnv: {
      VGW_IAM_STANDALONE_ENDPOINT: gateway,
      VGW_IAM_STANDALONE_ACCESS: root.accessKey,
      VGW_IAM_STANDALONE_SECRET: root.secretKey,
    },
    create: async (name, documents) => {
      const arn = element(await ask('CreateUser', { UserName: name }), 'Arn');
      for (const [index, document] of documents.entries()) {
        const policy = { UserName: name, PolicyName: `policy-${index}`, PolicyDocument: document };
        await ask('PutUserPolicy', policy);
      }
      return { arn, ...(await createKey(name)) };
    },
    rotate: async (name, { arn, accessKey }) => {
      const key = await createKey(name);
      await ask('DeleteAccessKey', { UserName: name, AccessKeyId: accessKey });
      return { arn, ...key };
    },
    stop,
  };
}

/** Sends a request to the IAM API through a Unix socket. Signs it with AWS Signature Version 4. */
async function askIam(
  socketPath: string,
  { accessKey, secretKey }: { accessKey: string; secretKey: string },
  parameters: URLSearchParams,
): Promise<string> {
  const body = parameters.toString();
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), 'us-east-1', 'iam', 'aws4_request'];
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
  const canonical = ['POST', '/', '', 'host:iam', `x-amz-date:${time}`, '', 'host;x-amz-date', sha256(body)];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical.join('\n'))].join('\n');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const signature = hmac(scope.reduce<string | Buffer>(hmac, `AWS4${secretKey}`), toSign).toString('hex');
  const headers = {
    host: 'iam',
    'x-amz-date': time,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope.join('/')}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  };
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.request({ socketPath, method: 'POST', headers }, resolve).on('error', reject).end(body);
  });
  const answer = await text(response);
  if (response.statusCode !== 200)
    throw new Error(`${parameters.get('Action')}: ${response.statusCode} ${answer}`);
  return answer;
}

/** Returns the text of an XML element. Throws if the XML does not contain the element. */
function element(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  if (found === undefined) throw new Error(`the answer has no ${name}: ${xml}`);
  return found;
}
