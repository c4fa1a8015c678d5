import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { settingKey, settingNames, variableOf } from '../../config/keys';
import { defaultSettings, loadSettings, requireRole, type Settings } from '../../config/settings';
import { describeError, isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import { defaultLimits } from '../../query/engine';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'settings-'));
  writeFileSync(join(cwd, 'federated-store.yaml'), 'type: FILESYSTEM\n');
});
afterEach(() => rmSync(cwd, { recursive: true }));

/**
 * Writes `yaml` to `federated-etl.yaml`, and loads the settings from this file and from the environment variables in
 * `env`.
 */
function load(yaml: string, env: NodeJS.ProcessEnv = {}): Settings {
  writeFileSync(join(cwd, 'federated-etl.yaml'), yaml);
  // Refer to a missing file. Otherwise, the Temporal profile of the user who runs the tests would be loaded.
  return loadSettings({ cwd, env: { TEMPORAL_CONFIG_FILE: join(cwd, 'none.toml'), ...env } });
}

function refusal(yaml: string, env?: NodeJS.ProcessEnv): string {
  try {
    load(yaml, env);
  } catch (error) {
    if (isFederationError(error)) return `${error.code}: ${error.detail}`;
    throw error;
  }
  throw new Error('These settings were accepted.');
}

const minimal = 'clusterId: cluster-4\n';
const federator = (text: string): string => `${minimal}federatedETL: {federator: {${text}}}\n`;

describe('a settings file', () => {
  it('has a notice about a proxy that workers do not use, if the process has workers', () => {
    const env = { http_proxy: 'http://proxy.test:3128' };
    expect(load(federator('enabled: true'), env).notices).toContainEqual(
      expect.stringContaining('http_proxy is set'),
    );
    expect(load(minimal, env).notices).toEqual([]);
  });

  it('names an emulator of GCS by scheme, host and port, and nothing that would be ignored', () => {
    const emulator = (url: string) => `${minimal}storage: {gcsEmulator: '${url}'}\n`;
    for (const url of ['http://127.0.0.1:4443', 'https://gcs.test/', 'http://[2001:db8::1]:4443'])
      expect(load(emulator(url)).storage.gcsEmulator).toBe(url);
    const others = [
      'http://gcs.test/storage/v1',
      'http://gcs.test?a=b',
      'http://gcs.test#a',
      'gcs.test:4443',
    ];
    for (const url of [...others, 'http://user:pass@gcs.test', 'gcs.test'])
      expect(refusal(emulator(url))).toContain(
        `${url.replace('user:pass', '***')} is not the URL of an emulator`,
      );
  });

  it('needs nothing but the cluster id', () => {
    expect(load(minimal)).toMatchObject({
      clusterId: 'cluster-4',
      roles: { federatedCluster: false, federator: false, primaryCluster: false },
      federator: {
        scope: { exclude: [] },
        firstRunAfterMs: 300_000,
        runEveryMs: 1_800_000,
        generations: 10,
        shrinkage: { closedAfter: 172_800, shrinkage: 0.5 },
      },
      storage: { file: join(cwd, 'federated-store.yaml'), existing: false },
      localEtl: { path: '/var/configs/db/etl', pullPath: '/var/configs/db/etl', rescanEveryMs: 300_000 },
      pull: { everyMs: 300_000 },
      temporal: {
        address: 'localhost:7233',
        namespace: 'default',
        idPrefix: '',
        connection: { address: 'localhost:7233' },
      },
      api: { listen: '127.0.0.1:9003', openRead: false },
      health: { listen: '127.0.0.1:9004' },
      log: { level: 'info', format: 'auto' },
      notices: [],
    });
  });

  it('accepts all its keys, with paths relative to the file', () => {
    const settings = load(`
clusterId: cluster-4
federatedETL:
  federatedCluster: true
  primaryCluster: true
  federator:
    enabled: true
    clusters:
    includeClusters: [b, a]
    federationCutoffDate: 2026-01-01T02:00:00+02:00
    firstRunAfter: 2s
    runEvery: 10s
    generations: 3
    federateOnPush: true
    retention: {1h: 49h, 10m: 2d}
localEtl: {path: etl, pullPath: pulled, backupPath: saved, rescanEvery: 1s, pullEvery: 2s}
temporal: {address: "temporal:7233", namespace: fed, idPrefix: blue-}
api: {listen: ":9003", token: secret, openRead: true}
log: {level: debug, format: json}
`);
    expect(settings).toMatchObject({
      roles: { federatedCluster: true, federator: true, primaryCluster: true },
      federator: {
        scope: {
          include: ['a', 'b'],
          exclude: [],
          cutoff: '2026-01-01T00:00:00.000Z',
          retention: { '1h': 176_400, '10m0s': 172_800 },
        },
        firstRunAfterMs: 2_000,
        runEveryMs: 10_000,
        generations: 3,
        federateOnPush: true,
      },
      localEtl: { path: join(cwd, 'etl'), pullPath: join(cwd, 'pulled'), backupPath: join(cwd, 'saved') },
      temporal: { address: 'temporal:7233', namespace: 'fed', idPrefix: 'blue-' },
      api: { listen: ':9003', token: 'secret', openRead: true },
      log: { level: 'debug', format: 'json' },
    });
  });

  it('is frozen once read, except what the Temporal SDK writes to', () => {
    const settings = load(minimal, { TEMPORAL_GRPC_META_TEAM: 'costs' });
    Object.assign(settings.temporal.connection.metadata ?? {}, { 'client-name': 'temporal-typescript' });
    expect(settings.temporal.connection.metadata).toEqual({ team: 'costs' });
    expect(() => Object.assign(settings.federator.scope, { exclude: ['a'] })).toThrow(TypeError);
  });

  it.each([
    [
      'an unknown key',
      `${minimal}federatedETL:\n  federatdCluster: true\n`,
      /line 3: .*no setting federatedETL\.federatdCluster; the nearest is federatedETL\.federatedCluster\./,
    ],
    ['an unknown key at the top level', `${minimal}temporl: {}\n`, /line 2: there is no setting temporl/],
    ['a group that is not a map', `${minimal}log: debug\n`, /no setting log/],
    ...['http://temporal:7233', 'temporal:7233/', 'temporal:', 'a b:7233', '::1'].map(
      (address): [string, string, RegExp] => [
        `${address} as the address of Temporal`,
        `${minimal}temporal: {address: '${address}'}\n`,
        /is not the address of a Temporal server: it is written as host:port/,
      ],
    ),
    ['a missing cluster id', 'log: {level: info}\n', /SETTINGS_INVALID: No cluster id is set/],
    ['the cluster id of the output', 'clusterId: combined\n', /CLUSTER_ID_INVALID/],
    ['a cluster id that no object can have as a key', 'clusterId: __proto__\n', /CLUSTER_ID_INVALID/],
    ['a cluster id with a slash', 'clusterId: a/b\n', /CLUSTER_ID_INVALID/],
    [
      'a number as an id',
      'clusterId: 7\n',
      /line 1: clusterId takes a text \(put numbers in quotes\), not 7/,
    ],
    ['a duration without a unit', federator('runEvery: 30'), /takes a number with a unit.*not 30/],
    ['a duration in words', federator('runEvery: 30 minutes'), /takes a number with a unit/],
    [
      'a first run after the second',
      federator('firstRunAfter: 31m'),
      /firstRunAfter \(31m\) is longer than runEvery \(30m\)/,
    ],
    ['an interval below a second', federator('firstRunAfter: 0s, runEvery: 500ms'), /whole seconds/],
    [
      'an interval with a fraction of a second',
      federator('firstRunAfter: 0s, runEvery: 1.5s'),
      /whole seconds/,
    ],
    [
      'a cluster both included and excluded',
      federator('includeClusters: [a], excludeClusters: [a]'),
      /cluster a is both/,
    ],
    [
      'an impossible cluster to exclude',
      federator('excludeClusters: [a/b]'),
      /"a\/b" is not a valid cluster id/,
    ],
    ['no generations', federator('generations: 0'), /at least 1/],
    ['a cut-off that is not a time', federator('federationCutoffDate: last week'), /RFC 3339/],
    [
      'a retention shorter than a window',
      federator('retention: {1d: 2h}'),
      /retention keeps windows of 1d for less time than one window lasts/,
    ],
    ['a retention without a value', federator('retention: {1x: 49h}'), /resolutions with a duration each/],
    [
      'a role without storage',
      `${minimal}federatedETL: {federatedCluster: true}\nstorage: {configFile: gone.yaml}\n`,
      /no file .*gone\.yaml \(storage\.configFile, by .*line 3\)/,
    ],
    [
      'existing storage that is not named',
      `${minimal}federatedETL: {useExistingS3Config: true}\n`,
      /storage\.existingConfigFile \(ETL_BUCKET_CONFIG\) is not/,
    ],
    ['broken YAML', 'clusterId: [\n', /line 2: not valid YAML \(bad indent\)/],
    ['a list', '- clusterId\n', /holds no settings/],
    ['a key twice', `${minimal}${minimal}`, /line 2: not valid YAML \(duplicate key\)/],
    ['an alias without an anchor', 'clusterId: *id\n', /alias without an anchor/],
    [
      'an unknown key behind an alias',
      `${minimal}x: &store\n  configFle: a\nstorage: *store\n`,
      /line 3: there is no setting storage\.configFle/,
    ],
    ['an unknown key without a value', `${minimal}temporl:\n`, /line 2: there is no setting temporl/],
  ])('refuses %s', (_what, yaml, message) => expect(refusal(yaml)).toMatch(message));

  it('reports all mistakes at once', () => {
    const detail = refusal(`${minimal}logg: {}\nhealth: {lisen: x}\napi: {openRead: maybe}\n`);
    expect(detail.split('\n')).toHaveLength(3);
  });

  it('never shows a secret', () => {
    expect(refusal(`${minimal}api: {token: 12345}\n`)).not.toContain('12345');
  });

  it('reports which file is missing', () => {
    expect(() => loadSettings({ cwd, env: {}, file: 'gone.yaml' })).toThrow(
      /There is no settings file \S+gone\.yaml\./,
    );
  });
});

describe('the defaults', () => {
  it('are those of the empty settings, and of the query engine', () => {
    const { api, query } = load(minimal);
    const defaults = defaultSettings();
    expect(defaults).toEqual({ api, query: { memory: query.memory, threads: query.threads } });
    expect(defaults.api).toMatchObject({ aliases: defaultAliases, limits: defaultLimits });
  });
});

describe('the environment', () => {
  it('has one variable per setting', () => {
    expect(new Set(settingNames.map(variableOf)).size).toBe(settingNames.length);
    expect(variableOf('localEtl.path')).toBe('FEDERATED_ETL_LOCAL_ETL_PATH');
    expect(variableOf('federatedETL.federator.runEvery')).toBe('FEDERATED_ETL_FEDERATOR_RUN_EVERY');
  });

  it('takes precedence over the file', () => {
    const settings = load(`${minimal}log: {level: debug}\n`, {
      CLUSTER_ID: 'cluster-5',
      FEDERATED_CLUSTER: 'true',
      FEDERATED_PRIMARY_CLUSTER: '1',
      FEDERATED_FEDERATOR_ENABLED: 'TRUE',
      FEDERATED_ETL_LOG_LEVEL: 'warn',
      FEDERATED_ETL_LOCAL_ETL_PATH: 'here',
      FEDERATED_ETL_FEDERATOR_EXCLUDE_CLUSTERS: 'b, a',
      FEDERATED_ETL_FEDERATOR_RETENTION: '1h=49h,24h=91d',
      FEDERATED_ETL_FEDERATOR_GENERATIONS: '5',
      FEDERATED_ETL_API_OPEN_READ: '',
    });
    expect(settings).toMatchObject({
      clusterId: 'cluster-5',
      roles: { federatedCluster: true, federator: true, primaryCluster: true },
      log: { level: 'warn' },
      localEtl: { path: join(cwd, 'here') },
      federator: {
        scope: { exclude: ['a', 'b'], retention: { '1h': 176_400, '1d': 7_862_400 } },

        generations: 5,
      },
    });
  });

  it('is enough without a file', () => {
    expect(loadSettings({ cwd: tmpdir(), env: { CLUSTER_ID: 'c' } }).clusterId).toBe('c');
  });

  it('names the settings file', () => {
    writeFileSync(join(cwd, 'other.yaml'), 'clusterId: other\n');
    expect(loadSettings({ cwd, env: { FEDERATED_ETL_CONFIG: 'other.yaml' } }).clusterId).toBe('other');
  });

  it.each([
    [{ FEDERATED_CLUSTER: 'yes' }, /FEDERATED_CLUSTER: .*takes true or false, not "yes"/],
    [{ FEDERATED_ETL_LOCAL_ETL_RESCAN_EVERY: '5' }, /takes a number with a unit/],
    [{ TEMPORAL_PROFILE: 'nobody' }, /TEMPORAL_ variables or the profile/],
  ])('is validated like the file: %j', (env, message) => expect(refusal(minimal, env)).toMatch(message));

  it('reports a misspelled variable, and ignores unrelated ones', () => {
    const env = {
      FEDERATED_CLUSTERS: 'true',
      FEDERATED_ETL_PORT_9003_TCP: 'tcp://10.0.0.1:9003',
      FEDERATED_ETL_SERVICE_HOST: '10.0.0.1',
    };
    expect(load(minimal, env).notices).toEqual([
      'FEDERATED_CLUSTERS is not a setting; did you mean FEDERATED_CLUSTER?',
    ]);
  });

  it("configures Temporal as it does for the temporal CLI, before the settings' own values", () => {
    const yaml = `${minimal}temporal: {address: "file:7233", namespace: file}\n`;
    const env = { TEMPORAL_ADDRESS: 'shell:7233', TEMPORAL_API_KEY: 'key' };
    expect(load(yaml, env).temporal).toMatchObject({
      address: 'shell:7233',
      namespace: 'file',
      connection: { address: 'shell:7233', apiKey: 'key', tls: true },
    });
    writeFileSync(
      join(cwd, 'temporal.toml'),
      '[profile.default]\naddress = "profile:7233"\nnamespace = "profile"\n',
    );
    expect(load(yaml, { TEMPORAL_CONFIG_FILE: join(cwd, 'temporal.toml') }).temporal).toMatchObject({
      address: 'profile:7233',
      namespace: 'profile',
    });
  });
});

/** Returns everything that is said about settings: why they are refused, or their notices. */
function said(yaml: string, env?: NodeJS.ProcessEnv): string {
  try {
    return load(yaml, env).notices.join('\n');
  } catch (error) {
    return isFederationError(error) ? describeError(error) : String(error);
  }
}

describe.each(settingNames)('a password in %s', (name) => {
  const password = `pl4nted/${randomBytes(8).toString('hex')}`;
  const url = `https://kim:${password}@host.example:1/path`;
  const given = settingKey(name).secret ? password : url;
  const nested = (value: unknown) =>
    name.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
  const others = {
    ...(!name.startsWith('federatedETL') && { federatedETL: { primaryCluster: true } }),
    ...(name !== 'clusterId' && { clusterId: 'c1' }),
  };

  it.each<[string, unknown]>([
    ['as it is', given],
    ['with white space', ` ${given}\n`],
    ['in a list', [given]],
    ['in a map', { a: given }],
    ['in a map of lists', { a: [{ b: given }] }],
  ])('is not shown: %s', (_, value) => {
    expect(said(stringify({ ...others, ...nested(value) }))).not.toContain(password);
  });

  it('is not shown if it is in the environment', () => {
    expect(said(stringify(others), { [variableOf(name)]: given })).not.toContain(password);
  });

  it('is not shown beside an unknown setting', () => {
    expect(said(stringify({ ...others, ...nested(given), token: given, tokens: [given] }))).toContain(
      'there is no setting token',
    );
    expect(said(stringify({ ...others, ...nested(given), token: given }))).not.toContain(password);
  });
});

describe('a secret', () => {
  it('is not shown if it stands in place of the path of its file', () => {
    const key = randomBytes(32).toString('base64');
    expect(said(`${minimal}temporal: {encryptionKeys: '${key}'}\n`)).toMatch(/cannot be read: .*\*\*\*/);
  });

  it.each(['[x', 'api_key = ["planted-api-key"]'])(
    'is not shown by a damaged Temporal profile: %s',
    (end) => {
      const file = join(cwd, 'temporal.toml');
      writeFileSync(file, `[profile.default]\n# planted-api-key\napi_key = "planted-api-key"\n${end}\n`);
      const text = said(minimal, { TEMPORAL_CONFIG_FILE: file });
      expect(text).toMatch(/TEMPORAL_ variables or the profile/);
      expect(text).not.toContain('planted-api-key');
    },
  );

  it('is refused in the URL of Temporal’s UI, which everybody sees', () => {
    for (const url of ['https://kim:pass@ui.example', 'https://kim@ui.example', 'ui.example', 'javascript:x'])
      expect(refusal(`${minimal}temporal: {uiUrl: '${url}'}\n`)).toMatch(/is not the URL of Temporal's UI/);
    expect(load(`${minimal}temporal: {uiUrl: 'https://ui.example/x'}\n`).temporalUi).toBe(
      'https://ui.example/x',
    );
  });
});

describe('white space around a value', () => {
  it('is ignored in the file and in variables, with a notice', () => {
    expect(load(`${minimal}api: {token: "secret\\n"}\n`)).toMatchObject({
      api: { token: 'secret' },
      notices: [expect.stringMatching(/line 2: api\.token has white space around it/)],
    });
    const env = {
      FEDERATED_ETL_API_TOKEN: 'secret\n',
      TEMPORAL_API_KEY: ' key\n',
      TEMPORAL_ADDRESS: 'cloud:7233\n',
    };
    expect(load(minimal, env)).toMatchObject({
      api: { token: 'secret' },
      temporal: { connection: { apiKey: 'key', address: 'cloud:7233' } },
      notices: [
        expect.stringMatching(/TEMPORAL_ADDRESS: temporal\.address has white space/),
        expect.stringMatching(/FEDERATED_ETL_API_TOKEN: api\.token has white space/),
        expect.stringMatching(/TEMPORAL_API_KEY has white space/),
      ],
    });
  });

  it('is ignored in the profile of the temporal CLI, with a notice', () => {
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(cwd, name), `${name} in PEM`);
    const lines = [
      '[profile.default]',
      'address = " cloud:7233"',
      'namespace = "costs\\n"',
      'api_key = "key\\n"',
      '[profile.default.grpc_meta]',
      'team = " a team"',
      '[profile.default.tls]',
      'server_name = "cloud "',
      `server_ca_cert_path = " ${join(cwd, 'ca')}"`,
      `client_cert_path = "${join(cwd, 'cert')} "`,
      `client_key_path = "${join(cwd, 'key')}\\n"`,
    ];
    writeFileSync(join(cwd, 'temporal.toml'), lines.join('\n'));
    const { temporal, notices } = load(minimal, { TEMPORAL_CONFIG_FILE: join(cwd, 'temporal.toml') });
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
    expect(temporal).toMatchObject({
      namespace: 'costs',
      connection: {
        address: 'cloud:7233',
        apiKey: 'key',
        metadata: { team: 'a team' },
        tls: {
          serverNameOverride: 'cloud',
          serverRootCACertificate: bytes('ca in PEM'),
          clientCertPair: { crt: bytes('cert in PEM'), key: bytes('key in PEM') },
        },
      },
    });
    expect([...notices].sort()).toEqual(
      [
        'address',
        'api_key',
        'grpc_meta.team',
        'namespace',
        'tls.client_cert_path',
        'tls.client_key_path',
        'tls.server_ca_cert_path',
        'tls.server_name',
      ].map((name) => `${name} of the Temporal profile has white space around it, which is ignored.`),
    );
  });

  it.each(['a key', 'a\nkey', 'a\u0000key'])('is refused within the API key for Temporal: %j', (key) => {
    const message = /API key for Temporal .* has white space or a control character in it/;
    expect(refusal(minimal, { TEMPORAL_API_KEY: key })).toMatch(message);
    writeFileSync(join(cwd, 'temporal.toml'), `[profile.default]\napi_key = ${JSON.stringify(key)}\n`);
    expect(refusal(minimal, { TEMPORAL_CONFIG_FILE: join(cwd, 'temporal.toml') })).toMatch(message);
  });

  it.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AZURE_CLIENT_SECRET'])(
    'is refused in %s, which only the SDK reads',
    (name) => {
      const message = refusal(minimal, { [name]: 's3cr3t\n' });
      expect(message).toMatch(new RegExp(`SETTINGS_INVALID: ${name} has white space or a line break`));
      expect(message).not.toContain('s3cr3t');
    },
  );
});

describe('the bare list of clusters', () => {
  it.each([
    ['excludes, in our own file', 'clusters: [x]', { exclude: ['x'] }],
    ['includes, in that mode', 'clusters: [x], clustersMode: include', { include: ['x'], exclude: [] }],
    ['excludes, in that mode', 'clusters: [x], clustersMode: exclude', { exclude: ['x'] }],
    ['is ignored next to an explicit list', 'clusters: [x], excludeClusters: [y]', { exclude: ['y'] }],
    ['may be empty', 'clusters: [], clustersMode: include', { exclude: [] }],
  ])('%s', (_what, text, scope) => expect(load(federator(text)).federator.scope).toEqual(scope));

  it('is reported if it is overridden', () => {
    expect(load(federator('clusters: [x], excludeClusters: [y]')).notices).toEqual([
      expect.stringMatching(/override the bare list/),
    ]);
  });

  it('is not guessed if the file may be a fragment of Helm values', () => {
    const fragment = 'federatedETL: {federator: {clusters: [x]}}\n';
    expect(refusal(fragment, { CLUSTER_ID: 'c' })).toMatch(
      /not to federate in the Federated ETL guide, but the only clusters to federate in Kubecost's charts/,
    );
    expect(
      load(fragment, { CLUSTER_ID: 'c', FEDERATED_ETL_FEDERATOR_CLUSTERS_MODE: 'include' }).federator.scope
        .include,
    ).toEqual(['x']);
  });
});

describe('storage', () => {
  it('of Kubecost takes precedence if configured, and this is reported', () => {
    writeFileSync(join(cwd, 'object-store.yaml'), 'type: FILESYSTEM\n');
    const settings = load(
      `${minimal}federatedETL: {useExistingS3Config: true}\nstorage: {configFile: federated-store.yaml, existingConfigFile: object-store.yaml}\n`,
    );
    expect(settings.storage).toEqual({ file: join(cwd, 'object-store.yaml'), existing: true });
    expect(settings.notices).toEqual([
      expect.stringMatching(/overrides storage\.configFile.*use a separate/),
    ]);
  });
});

describe('the origins allowed to read', () => {
  const origins = (yaml: string, env?: NodeJS.ProcessEnv) =>
    load(`${minimal}api: {origins: ${yaml}}\n`, env).api.origins;

  it('are a list, separated by commas in the environment', () => {
    expect(load(minimal).api.origins).toBeUndefined();
    expect(origins('[]')).toEqual([]);
    expect(origins('["*"]')).toEqual(['*']);
    expect(origins('["https://grafana.example", "http://[::1]:3000"]')).toEqual([
      'https://grafana.example',
      'http://[::1]:3000',
    ]);
    const env = { FEDERATED_ETL_API_ORIGINS: 'http://localhost:3000, https://x.example:8443' };
    expect(load(minimal, env).api.origins).toEqual(['http://localhost:3000', 'https://x.example:8443']);
  });

  it.each([
    ['https://grafana.example/', 'write https://grafana.example.'],
    ['https://Grafana.example:443/d/1', 'write https://grafana.example.'],
    ['grafana.example', 'use one such as https://grafana.example, or *.'],
    ['https://*.example', 'use one such as https://grafana.example, or *.'],
    ['ftp://grafana.example', 'use one such as https://grafana.example, or *.'],
    ['null', 'use one such as https://grafana.example, or *.'],
  ])('are written as browsers send them: %s', (origin, todo) => {
    expect(refusal(`${minimal}api: {origins: ['${origin}']}\n`)).toContain(
      `${origin} is not an origin (api.origins): ${todo}`,
    );
  });
});

describe('the codec endpoint', () => {
  const key = Buffer.alloc(32, 1).toString('base64');
  beforeEach(() => writeFileSync(join(cwd, 'keys.yaml'), stringify({ keys: [{ id: 'a', key }] })));
  const withCodec = (codec: object, others: object = {}) =>
    stringify({
      clusterId: 'c1',
      federatedETL: { federatedCluster: true },
      temporal: { encryptionKeys: 'keys.yaml', codec },
      ...others,
    });
  const token = 'planted-token';

  it('is off unless it has an address', () => {
    expect(load(withCodec({ token })).codec).toBeUndefined();
    const codec = { listen: ':9005', token, origins: ['https://ui.example'] };
    expect(load(withCodec(codec)).codec).toEqual(codec);
  });

  it.each<[string, object, object, string]>([
    ['no token', {}, {}, 'needs a token (temporal.codec.token)'],
    ['a token with blanks', { token: `${token} 2` }, {}, 'without blanks (temporal.codec.token)'],
    ['the token of the API', { token }, { api: { token } }, 'the same as api.token'],
    ['no keys', { token }, { temporal: { codec: { listen: ':9005', token } } }, 'temporal.encryptionKeys'],
    ['no address', { token, listen: '9005' }, {}, 'not an address to listen on'],
    ['all origins', { token, origins: ['*'] }, {}, '* is not an origin (temporal.codec.origins)'],
  ])('is refused with %s', (_, codec, others, why) => {
    const refused = refusal(withCodec({ listen: ':9005', ...codec }, others));
    expect(refused).toContain(why);
    expect(refused).not.toContain(token);
  });
});

describe('the host names of the API', () => {
  it('are a list of names', () => {
    expect(load(minimal).api.hosts).toEqual([]);
    expect(load(`${minimal}api: {hosts: [costs.example, '*']}\n`).api.hosts).toEqual(['costs.example', '*']);
    const env = { FEDERATED_ETL_API_HOSTS: 'fe, fe.kubecost.svc' };
    expect(load(minimal, env).api.hosts).toEqual(['fe', 'fe.kubecost.svc']);
  });

  it.each(['https://costs.example', 'costs.example:443', 'costs.example/', '*.example', 'costs.example.'])(
    'are written without scheme, port and path: %s',
    (host) => {
      expect(refusal(`${minimal}api: {hosts: ['${host}']}\n`)).toContain(
        `${host} is not a host name (api.hosts)`,
      );
    },
  );
});

describe('a role', () => {
  it('is required to run', () => {
    expect(() => requireRole(load(minimal))).toThrow(/has no role/);
    requireRole(load(`${minimal}federatedETL: {federatedCluster: true}\n`));
  });
});

it('says where it looked for a settings file', () => {
  const env = { TEMPORAL_CONFIG_FILE: join(cwd, 'none.toml') };
  const place = `FEDERATED_ETL_CONFIG names one, and ${join(cwd, 'federated-etl.yaml')} does not exist.`;
  expect(() => loadSettings({ cwd, env: { ...env, LOG_LEVEL: 'odd' } })).toThrow(place);
});

it.each(['temporal', 'temporal:7233', '[::1]:7233', '10.0.0.1:7233', 'x.tmprl.cloud:7233'])(
  'accepts %s as the address of Temporal',
  (address) => {
    expect(load(`${minimal}temporal: {address: '${address}'}\n`).temporal.address).toBe(address);
  },
);
