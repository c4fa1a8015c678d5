import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { clearEnvironment } from '../servers/clear-environment';
import { type FaultyServer, startFaultyServer } from './faulty-s3-server';

/**
 * Fake server on loopback that acts as the store and as the token service. In these tests, credentials do not come from
 * the store's settings.
 */
let server: FaultyServer;
const folder = mkdtempSync(path.join(os.tmpdir(), 'federated-etl-credentials-'));
clearEnvironment(/^AWS_/);
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

beforeAll(async () => {
  server = await startFaultyServer();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: path.join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'none'),
  });
});

/**
 * Puts an object. Returns two lists: `keys` has the id and the session token of each access key that signed a request
 * to the store, and `asked` has the requests to other services.
 */
async function signedBy(settings: object = {}): Promise<{ keys: string[]; asked: string[] }> {
  const config = { bucket: 'costs', endpoint: server.endpoint, insecure: true, max_retries: 1, ...settings };
  const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
  server.answer(answerAnything);
  try {
    await bucket.put('k', Buffer.from('x'));
  } finally {
    await bucket.close();
  }
  const key = (header = '') => /Credential=([^/]+)\//.exec(header)?.[1];
  return {
    keys: server.seen
      .filter(({ method }) => method === 'PUT')
      .map(({ headers }) => `${key(headers.authorization)} ${String(headers['x-amz-security-token'] ?? '')}`),
    asked: server.seen.filter(({ method }) => method !== 'PUT').map(({ method, url }) => `${method} ${url}`),
  };
}

/** Answers each request like a store, a token service or a pod identity agent, depending on the request. */
function answerAnything(response: ServerResponse, request: { method?: string; url?: string }): void {
  if (request.method === 'PUT') return void response.writeHead(200, { etag: '"v1"' }).end();
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  if (request.method === 'POST') {
    response.writeHead(200, { 'content-type': 'text/xml' }).end(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
       <Credentials><AccessKeyId>ASIAIRSA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>irsa</SessionToken>
       <Expiration>${expires}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    );
    return;
  }
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ AccessKeyId: 'ASIAPOD', SecretAccessKey: 's', Token: 'pod', Expiration: expires }));
}

test('those of the file take precedence', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' });
  const settings = { access_key: 'AKIAFILE', secret_key: 's', session_token: 'file' };
  expect(await signedBy(settings)).toEqual({ keys: ['AKIAFILE file'], asked: [] });
});

test.each([{}, { aws_sdk_auth: true }])('environment variables, with %j', async (settings) => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 's' });
  expect(await signedBy(settings)).toEqual({ keys: ['AKIAENV '], asked: [] });
});

test('a profile', async () => {
  process.env['AWS_PROFILE'] = 'costs';
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = write(
    'credentials',
    '[costs]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n',
  );
  expect(await signedBy()).toEqual({ keys: ['AKIAPROFILE '], asked: [] });
});

describe('a role for a service account', () => {
  beforeEach(() => {
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: write('token', 'jwt'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/federator',
      AWS_REGION: 'eu-west-1',
    });
  });

  test('from the token service named by the environment', async () => {
    process.env['AWS_ENDPOINT_URL_STS'] = `http://${server.endpoint}`;
    expect(await signedBy()).toEqual({ keys: ['ASIAIRSA irsa'], asked: ['POST /'] });
  });

  test('from the token service in sts_endpoint', async () => {
    expect(await signedBy({ sts_endpoint: `http://${server.endpoint}` })).toEqual({
      keys: ['ASIAIRSA irsa'],
      asked: ['POST /'],
    });
  });
});

test('a pod identity', async () => {
  Object.assign(process.env, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${server.endpoint}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: write('pod-token', 'token'),
  });
  expect(await signedBy()).toEqual({ keys: ['ASIAPOD pod'], asked: ['GET /v1/credentials'] });
});

test('missing credentials are a refusal that names the reason', async () => {
  await expect(signedBy()).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
});

test.each(['AWS_ACCESS_KEY_ID', 'AWS_SESSION_TOKEN'])(
  '%s with a line break is reported and not retried',
  async (name) => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIAENV',
      AWS_SECRET_ACCESS_KEY: 's',
      [name]: 'with\nbreak',
    });
    await expect(signedBy({ max_retries: 4 })).rejects.toMatchObject({
      code: 'STORE_CONFIG_INVALID',
      retryable: false,
      hint: expect.stringContaining('line break') as string,
    });
  },
);
