import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import type { Payload } from '@temporalio/client';
import { stringify } from 'yaml';
import { z } from 'zod';
import { openApi } from '../../api/openapi';
import { settingKey, settingNames } from '../../config/keys';
import { createLog } from '../../config/log';
import { openLoggedBucket } from '../../config/open-logged-bucket';
import { PayloadEncryption } from '../../config/payload-encryption';
import { describeError } from '../../errors/federation-error';
import { knownError } from '../../errors/known-error';
import { azureConfig } from '../../storage/drivers/azure-config';
import { gcsConfig } from '../../storage/drivers/gcs-config';
import { s3Config } from '../../storage/drivers/s3-config';
import { Secret } from '../../storage/secret';
import { runMain } from '../scripts/run-main';
import { connectToAzure, describeWithAzure } from '../servers/azurite';
import { clearEnvironment } from '../servers/clear-environment';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { until } from '../until';

const golden = path.join(__dirname, '../golden/bucket/federated');
const planted = (): string => `pl4nt/${randomBytes(20).toString('base64')}`;
const word = (): string => randomBytes(20).toString('hex');
const pem = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey;

/** A secret for each setting that is one. The tests fail if a setting is missing here. */
const secrets = {
  'api.token': word(),
  'temporal.codec.token': word(),
  'temporal.encryptionKeys': randomBytes(32).toString('base64'),
  'api.readTokensPath': word(),
  'S3 access_key': word(),
  'S3 secret_key': planted(),
  'S3 session_token': planted(),
  'GCS service_account': word(),
  'AZURE storage_account_key': randomBytes(64).toString('base64'),
  'AZURE storage_connection_string': randomBytes(64).toString('base64'),
  'AZURE client_secret': planted(),
  signature: planted(),
  TEMPORAL_API_KEY: word(),
  TEMPORAL_CODEC_AUTH: word(),
  TEMPORAL_GRPC_META_X_PASS: word(),
  AWS_SECRET_ACCESS_KEY: word(),
  AWS_SESSION_TOKEN: word(),
  AZURE_CLIENT_SECRET: word(),
  proxy: word(),
};

/** Expects that none of the secrets is in a text, in any of its forms. */
function expectNone(text: string, where: string, others: readonly string[] = []): void {
  const found = [...Object.entries(secrets), ...others.map((secret) => ['other', secret] as const)].filter(
    ([, secret]) => {
      const coded = [secret, `kim:${secret}`, `:${secret}`].map((one) => Buffer.from(one).toString('base64'));
      return [secret, encodeURIComponent(secret), ...coded].some((form) => text.includes(form));
    },
  );
  const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-'));
  expect({
    where,
    found: found.map(([name]) => name),
    pem: lines.some((line) => text.includes(line)),
  }).toEqual({
    where,
    found: [],
    pem: false,
  });
}

/** Returns the paths of the settings of a store that are secrets. */
function secretsOf(schema: z.ZodType, at: readonly string[] = []): string[] {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.unwrap() as z.ZodType;
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, field]) =>
      secretsOf(field, [...at, name]),
    );
  const probes = ['word', '{"type": "service_account"}'];
  return probes.some((probe) => inner.safeParse(probe).data instanceof Secret) ? [at.join('.')] : [];
}

const stores = { S3: s3Config, GCS: gcsConfig, AZURE: azureConfig };

describe('the secrets of these tests', () => {
  it('are those of all settings', () => {
    const own = settingNames.filter((name) => settingKey(name).secret);
    const ofStores = Object.entries(stores).flatMap(([type, schema]) =>
      secretsOf(schema).map((name) => `${type} ${name}`),
    );
    expect(ofStores).toHaveLength(7);
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining([...own, ...ofStores]));
  });

  it('are of settings that say so: no other one has such a name', () => {
    const named = (name: string) =>
      /secret|token|password|passphrase|credential|(?<!kms_)key$|keys$/i.test(name);
    expect(settingNames.filter((name) => named(name) && !settingKey(name).secret)).toEqual([
      'temporal.encryptionKeys',
      'api.readTokensPath',
    ]);
    for (const schema of Object.values(stores)) {
      const names = Object.keys(schema.shape).filter(named);
      for (const name of names) expect(secretsOf(schema)).toContain(name);
    }
  });
});

const key = { project_id: 'acme', client_email: 'robot@acme.iam', token_uri: 'http://127.0.0.1:1/token' };
const account = (privateKey: string) =>
  JSON.stringify({
    type: 'service_account',
    ...key,
    private_key: privateKey,
    private_key_id: secrets['GCS service_account'],
  });
const quick = { http_config: { response_header_timeout: '2s' }, max_retries: 1 };
const s3 = {
  bucket: 'costs',
  endpoint: '127.0.0.1:1',
  insecure: true,
  access_key: secrets['S3 access_key'],
  secret_key: secrets['S3 secret_key'],
  session_token: secrets['S3 session_token'],
  ...quick,
};
const azure = { container: 'costs', ...quick };
const connection = (endpoint: string, ...more: string[]) => ({
  ...azure,
  storage_connection_string: [`BlobEndpoint=${endpoint}`, 'AccountName=acme', ...more].join(';'),
});
const accountKey = `AccountKey=${secrets['AZURE storage_connection_string']}`;
const sas = `SharedAccessSignature=sv=2024-11-04&sp=rl&sig=${encodeURIComponent(secrets.signature)}`;

/** Stores whose servers do not answer. */
const unreachable: readonly (readonly [string, string, object])[] = [
  ['S3', 'S3', s3],
  ['GCS with a key', 'GCS', { bucket: 'costs', service_account: account(pem), ...quick }],
  [
    'GCS with a damaged key',
    'GCS',
    { bucket: 'costs', service_account: account(pem.slice(0, 900)), ...quick },
  ],
  [
    'Azure with a key',
    'AZURE',
    {
      ...azure,
      storage_account: 'acme',
      storage_account_key: secrets['AZURE storage_account_key'],
      endpoint: 'localhost:1',
    },
  ],
  [
    'Azure with a client',
    'AZURE',
    {
      ...azure,
      storage_account: 'acme',
      az_tenant_id: 'tenant',
      client_id: 'client',
      client_secret: secrets['AZURE client_secret'],
      endpoint: 'localhost:1',
    },
  ],
  ['Azure by a connection string', 'AZURE', connection('http://127.0.0.1:1/acme', accountKey)],
  ['Azure by a signature', 'AZURE', connection('http://127.0.0.1:1/acme', sas)],
  ['Azure by a password', 'AZURE', connection(`http://kim:${secrets.proxy}@127.0.0.1:1/acme`, accountKey)],
];

clearEnvironment(/^(AWS|AZURE)_|_proxy$/i);
beforeEach(() => {
  process.env['AZURE_AUTHORITY_HOST'] = 'https://127.0.0.1:1';
});

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-planted-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns everything that is said, at debug, about a store that cannot be used. */
async function saidOf(
  type: string,
  config: object,
  changed?: string,
  verb: 'head' | 'get' = 'head',
): Promise<string> {
  const file = at('said.yaml');
  await writeFile(file, changed ?? stringify({ type, config }));
  let said = '';
  const to = new Writable({ write: (chunk, _, done) => ((said += String(chunk)), done()) });
  const log = createLog({ level: 'debug', format: 'json' }, to);
  try {
    await using bucket = Object.assign(await openLoggedBucket({ file }, log), {
      async [Symbol.asyncDispose]() {
        await bucket.close();
      },
    });
    if (changed === undefined) await bucket[verb]('k');
  } catch (error) {
    log.error({ event: 'failed', err: error, reason: error }, describeError(knownError(error)));
    said += JSON.stringify(error) + describeError(error);
  }
  return said;
}

describe('no secret of a store is shown', () => {
  it.each(unreachable)('if it does not answer: %s', async (name, type, config) => {
    const said = await saidOf(type, config);
    expect(said).toMatch(/(STORAGE|STORE)_[A-Z_]+: /);
    expectNone(said, name);
  });

  it.each(unreachable)('if its file is wrong: %s', async (name, type, config) => {
    const yaml = stringify({ type, config });
    for (const [field, value] of Object.entries(config) as [string, unknown][]) {
      for (const wrong of [[value], { a: value }, [[value]], `${String(value)}\n\tb`]) {
        const said = await saidOf(type, {}, stringify({ type, config: { ...config, [field]: wrong } }));
        expectNone(said, `${name}, ${field}`);
      }
    }
    for (const changed of [
      `${yaml}\n[`,
      yaml.replace('config:', 'config: {'),
      yaml.replaceAll(/: (\S)/g, ': "$1'),
      stringify({ type, config: { ...config, token: secrets['S3 secret_key'], nested: config } }),
      stringify({ type, config: [config] }),
      stringify({ type: config, config }),
    ]) {
      const said = await saidOf(type, config, changed);
      expect(said).toMatch(/STORE_CONFIG_INVALID|is not known/);
      expectNone(said, name);
    }
  });
});

it('if a server answers with what it was sent: no secret of a store is shown', async () => {
  const server = createServer(({ url, headers }, response) => {
    const sent = `${url} ${decodeURIComponent(url ?? '')} ${Object.values(headers).join(' ')}`;
    const message = sent
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replace(/^.{0,200}(?=sig=)/, '');
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end(`<Error><Code>AccessDenied</Code><Message>sent: ${message}</Message></Error>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [type, config] of [
      ['S3', { ...s3, endpoint: host }],
      ['AZURE', connection(`http://${host}/acme`, sas)],
    ] as const) {
      for (const verb of ['head', 'get'] as const) {
        const said = await saidOf(type, config, undefined, verb);
        expect(said).toContain('STORAGE_ACCESS_DENIED');
        if (verb === 'get') expect(said).toContain('***');
        expectNone(said, type);
      }
    }
  } finally {
    server.close();
  }
});

describeWithAzure('no secret is shown', () => {
  it('if Azure refuses it', async () => {
    const { connectionString } = await connectToAzure();
    const [, endpoint = ''] = /BlobEndpoint=([^;]+)/.exec(connectionString) ?? [];
    const [, name = ''] = /AccountName=([^;]+)/.exec(connectionString) ?? [];
    for (const secret of [accountKey, sas]) {
      const said = await saidOf('AZURE', {
        ...azure,
        storage_connection_string: `AccountName=${name};BlobEndpoint=${endpoint};${secret}`,
      });
      expect(said).toContain('STORAGE_ACCESS_DENIED');
      expectNone(said, secret.slice(0, 10));
    }
  });
});

describeWithTemporal('no secret of a cluster with all roles is shown', () => {
  describeWithS3('on an S3 server', () => {
    let server: TestServer;
    let namespace: string;
    let child: ChildProcess | undefined;
    let written = '';
    let storeSecret = '';
    const none = (text: string, where: string) => expectNone(text, where, [storeSecret]);
    const codec = { listen: '127.0.0.1:0', token: secrets['temporal.codec.token'] };
    const urlOf = (event: string) =>
      new RegExp(`"${event}.listening","url":"([^"]+)"`).exec(written)?.[1] ?? '';
    const logged = (text: string) =>
      until(text, () => written.includes(text), { process: child!, output: () => written });

    beforeAll(async () => {
      server = await connectToTestServer();
      namespace = await server.createNamespace();
      const gateway = await connectToS3();
      storeSecret = gateway.secretKey;
      const bucket = `planted-${randomBytes(6).toString('hex')}`;
      await gateway.createBucket(bucket);
      await cp(path.join(golden, 'cluster-1/etl'), at('etl'), { recursive: true });
      await mkdir(at('tokens'));
      await writeFile(at('tokens/grafana'), secrets['api.readTokensPath']);
      const encryption = [{ id: 'first', key: secrets['temporal.encryptionKeys'] }];
      await writeFile(at('keys.yaml'), stringify({ keys: encryption }));
      const config = { ...s3Settings(gateway, bucket), ...quick };
      await writeFile(at('store.yaml'), stringify({ type: 'S3', config }));
      const settings = {
        clusterId: 'c1',
        federatedETL: {
          federatedCluster: true,
          primaryCluster: true,
          federator: { enabled: true, firstRunAfter: '24h', runEvery: '24h' },
        },
        storage: { configFile: 'store.yaml' },
        localEtl: { path: 'etl', pullPath: 'pulled' },
        temporal: { address: server.address, namespace, encryptionKeys: 'keys.yaml', codec },
        api: { listen: '127.0.0.1:0', token: secrets['api.token'], readTokensPath: 'tokens' },
        query: { threads: 1 },
        health: { listen: '127.0.0.1:0' },
        log: { format: 'json', level: 'debug' },
      };
      await writeFile(at('settings.yaml'), stringify(settings));
      const refused = { ...config, secret_key: secrets['S3 secret_key'] };
      await writeFile(at('refused.yaml'), stringify({ type: 'S3', config: refused }));
      await writeFile(
        at('refused-settings.yaml'),
        stringify({ ...settings, storage: { configFile: 'refused.yaml' } }),
      );
      await writeFile(
        at('apart.yaml'),
        stringify({ ...settings, temporal: { ...settings.temporal, address: '127.0.0.1:1' } }),
      );
      const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AZURE_CLIENT_SECRET } = secrets;
      child = spawn(process.execPath, [await builtProgram(), 'run', '--config', at('settings.yaml')], {
        env: {
          ...process.env,
          ...{ AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AZURE_CLIENT_SECRET },
          TEMPORAL_TLS: 'false',
          TEMPORAL_API_KEY: secrets.TEMPORAL_API_KEY,
          TEMPORAL_CODEC_AUTH: secrets.TEMPORAL_CODEC_AUTH,
          TEMPORAL_GRPC_META_X_PASS: secrets.TEMPORAL_GRPC_META_X_PASS,
          no_proxy: '127.0.0.1',
          https_proxy: `http://kim:${secrets.proxy}@127.0.0.1:1`,
        },
      });
      for (const output of [child.stdout, child.stderr])
        output?.setEncoding('utf8').on('data', (text: string) => (written += text));
      await logged('"event":"started"');
    });
    afterAll(async () => {
      child?.kill('SIGKILL');
      await server.close();
    });

    test('by a verb, as text or as JSON, whether it succeeds or not', async () => {
      const change = [
        ['federate', '--wait'],
        ['exclude', 'c1', '--reason', 'tried'],
      ];
      const read = ['status', 'runs', 'doctor'].flatMap((verb) => [[verb], [verb, '--json']]);
      for (const [settings, verbs] of [
        ['settings.yaml', [...change, ...read]],
        ['refused-settings.yaml', read],
        ['apart.yaml', [['status', '--json']]],
      ] as const)
        for (const verb of verbs) {
          const { out, err } = await runMain(...verb, '--config', at(settings));
          expect(out + err).not.toBe('');
          none(out + err, `${settings} ${verb.join(' ')}`);
        }
    });

    test('by the API, the page, the metrics and the health port', async () => {
      const paths = Object.keys(openApi().paths);
      const asked = [...paths, '/', '/nothing', '/federation/status?token=x', '/allocation?window=nonsense'];
      for (const url of asked.map((one) => `${urlOf('api')}${one}`))
        for (const token of [secrets['api.token'], secrets['api.readTokensPath']]) {
          const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
          none((await answer.text()) + JSON.stringify([...answer.headers]), url);
        }
      const wrong = await fetch(`${urlOf('api')}/api/status?token=${secrets.signature}`, {
        headers: { authorization: `Bearer ${secrets.signature}` },
      });
      none(await wrong.text(), 'a wrong token');
      for (const one of ['/metrics', '/readyz', '/healthz'])
        none(await (await fetch(`${urlOf('health')}${one}`)).text(), one);
      const answer = await fetch(`${urlOf('codec')}/decode`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.signature}` },
        body: '{"payloads": []}',
      });
      expect(answer.status).toBe(401);
      none(await answer.text(), 'codec');
    });

    test('in Temporal: not in a history, a description or the schedule, even if decrypted', async () => {
      const encryption = new PayloadEncryption(() => [
        { id: 'first', key: Buffer.from(secrets['temporal.encryptionKeys'], 'base64') },
      ]);
      let decoded = 0;
      /** Returns all texts in a message of Temporal, its payloads decrypted. */
      const textOf = async (value: unknown): Promise<string> => {
        if (value instanceof Uint8Array) return Buffer.from(value).toString();
        if (typeof value !== 'object' || value === null) return String(value);
        const payload = value as Payload;
        if (payload.metadata && payload.data) {
          const [plain = payload] = await encryption.decode([payload]);
          if (plain !== payload) decoded++;
          return Buffer.from(plain.data ?? []).toString();
        }
        const inner = await Promise.all(
          Object.entries(value).map(async ([name, one]) => `${name}: ${await textOf(one)}`),
        );
        return inner.join('\n');
      };
      const { workflowService } = server.connection;
      const { executions } = await workflowService.listWorkflowExecutions({ namespace });
      expect(executions.length).toBeGreaterThan(3);
      for (const { execution } of executions) {
        const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
        const described = await workflowService.describeWorkflowExecution({ namespace, execution });
        none(await textOf([history, described]), execution?.workflowId ?? '');
      }
      expect(decoded).toBeGreaterThan(10);
      const { schedules } = await workflowService.listSchedules({ namespace, maximumPageSize: 10 });
      for (const { scheduleId } of schedules)
        none(await textOf(await workflowService.describeSchedule({ namespace, scheduleId })), 'schedule');
      expect(schedules).toHaveLength(1);
    });

    test('in the log, at debug, even if the store refuses the credentials', async () => {
      await writeFile(
        at('store.yaml'),
        `${await readFile(at('refused.yaml'), 'utf8')}  token: ${storeSecret}\n`,
      );
      await logged('"storage.renewed"');
      await runMain('federate', '--config', at('settings.yaml'));
      await logged('STORAGE_ACCESS_DENIED');
      expect(written).toContain('config.token is not known');
      none(written, 'log');
      for (const line of written.trim().split('\n')) if (line.startsWith('{')) JSON.parse(line);
    });
  });
});
