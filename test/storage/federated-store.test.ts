import { inspect } from 'node:util';
import { type S3Config, s3Credentials } from '../../storage/drivers/s3-config';
import { userHeaders } from '../../storage/drivers/s3-headers';
import { describeFederatedStore, parseFederatedStore } from '../../storage/federated-store';
import { Secret } from '../../storage/secret';

const parse = (yaml: string) => parseFederatedStore(yaml, 'federated-store.yaml');
const fault = (yaml: string): string => {
  try {
    parse(yaml);
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORE_CONFIG_INVALID' });
    return (error as Error).message;
  }
  throw new Error(`accepted: ${yaml}`);
};
const s3 = (lines: string[] = []): string =>
  [
    'type: s3',
    'config:',
    '  bucket: costs',
    '  endpoint: s3.amazonaws.com',
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
const azure = (lines: string[]): string =>
  ['type: azure', 'config:', '  container: costs', ...lines.map((line) => `  ${line}`)].join('\n');
const s3ConfigOf = (lines: string[] = [], yaml = s3(lines)): S3Config => {
  const store = parse(yaml);
  if (store.type !== 'S3') throw new Error('not S3');
  return store.config;
};

// The sample file from Kubecost's documentation, with all its fields.
const kubecostSample = `
type: S3
config:
  bucket: "my-bucket"
  endpoint: "s3.amazonaws.com"
  region: "us-west-2"
  access_key: "AKIAIOSFODNN7EXAMPLE"
  insecure: false
  signature_version2: false
  secret_key: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
  put_user_metadata:
    "X-Amz-Acl": "bucket-owner-full-control"
  http_config:
    idle_conn_timeout: 90s
    response_header_timeout: 2m
    insecure_skip_verify: false
  trace:
    enable: true
  part_size: 134217728
`;

// The sample files for GCS and Azure from Thanos' documentation, with all their fields.
const thanosGcs = `
type: GCS
config:
  bucket: "costs"
  service_account: |-
    {"type": "service_account", "project_id": "p", "private_key": "k3y", "client_email": "a@b.iam"}
  use_grpc: false
  grpc_conn_pool_size: 0
  http_config:
    response_header_timeout: 2m
    max_idle_conns: 100
  chunk_size_bytes: 300000
  max_retries: 3
prefix: ""
`;
const thanosAzure = `
type: AZURE
config:
  storage_account: "costs"
  storage_account_key: "a2V5"
  storage_connection_string: ""
  storage_create_container: true
  container: "costs"
  endpoint: ""
  user_assigned_id: ""
  max_retries: 0
  reader_config:
    max_retry_requests: 0
  pipeline_config:
    max_tries: 0
    try_timeout: 0s
    retry_delay: 0s
    max_retry_delay: 0s
  http_config:
    response_header_timeout: 2m
    tls_config: {ca_file: "", cert_file: "", key_file: "", server_name: "", insecure_skip_verify: false}
  msi_resource: ""
prefix: ""
`;

describe('what is accepted', () => {
  test('Thanos’ sample for GCS', () => {
    const store = parse(thanosGcs);
    // The sample's chunk size of 300,000 bytes is rounded up to a multiple of 256 KiB.
    expect(store).toMatchObject({ type: 'GCS', config: { bucket: 'costs', chunk_size_bytes: 524_288 } });
    expect(store.unknown).toEqual([]);
    expect(`${inspect(store, { depth: 9 })} ${JSON.stringify(describeFederatedStore(store))}`).not.toContain(
      'k3y',
    );
  });

  test('Thanos’ sample for AZURE', () => {
    const store = parse(thanosAzure);
    expect(store).toMatchObject({ type: 'AZURE', config: { storage_account: 'costs', endpoint: '' } });
    expect(store.warnings).toEqual(['config.msi_resource has no effect here.']);
    expect(`${inspect(store, { depth: 9 })} ${JSON.stringify(describeFederatedStore(store))}`).not.toContain(
      'a2V5',
    );
  });

  test('Kubecost’s sample', () => {
    const store = parse(kubecostSample);
    expect(store).toMatchObject({
      type: 'S3',
      prefix: '',
      config: { bucket: 'my-bucket', part_size: 134217728 },
    });
    expect(store.warnings).toEqual(['config.http_config.idle_conn_timeout has no effect here.']);
  });

  test('a folder', () => {
    expect(parse('type: filesystem\nconfig: { directory: /data }\nprefix: /a/b//\n')).toEqual({
      type: 'FILESYSTEM',
      config: { directory: '/data' },
      prefix: 'a/b',
      warnings: [],
      unknown: [],
    });
    expect(parse('type: FILESYSTEM\nconfig: { directory: data }').config).toEqual({
      directory: `${process.cwd()}/data`,
    });
  });

  test.each(['', '/', '//'])('a prefix %j, which means none', (prefix) => {
    expect(parse(`${s3()}\nprefix: "${prefix}"`)).toMatchObject({ prefix: '', warnings: [] });
  });

  test('settings without a value, which are not set', () => {
    expect(s3ConfigOf(['region:', 'access_key: ~', 'sse_config:'])).toMatchObject({ region: '' });
  });

  test('a prefix that every key already has, as in OpenCost', () => {
    const store = parse(`${s3()}\nprefix: federated/`);
    expect(store.prefix).toBe('');
    expect(store.warnings.join()).toMatch(/federated\/<cluster id>/);
    expect(parse(`${s3()}\nprefix: federated/x`)).toMatchObject({
      prefix: 'federated/x',
      warnings: [expect.stringContaining('federated/x/federated/')],
    });
    expect(parse(`${s3()}\nprefix: federated-2`).warnings).toEqual([]);
  });

  test.each([
    ['access_key', s3(['access_key: |', '  a', 'secret_key: b']), 'a'],
    ['secret_key', s3(['access_key: a', 'secret_key: "\\tb\\r\\n"']), 'b'],
    ['session_token', s3(['access_key: a', 'secret_key: b', 'session_token: " c"']), 'c'],
    ['bucket', 'type: S3\nconfig: { bucket: "costs ", endpoint: e }', 'costs'],
    ['storage_account_key', azure(['storage_account: costs', 'storage_account_key: "a2V5\\n"']), 'a2V5'],
    ['storage_connection_string', azure(['storage_connection_string: "\\uFEFFa=b "']), 'a=b'],
    [
      'client_id',
      azure(['storage_account: costs', 'az_tenant_id: a', 'client_id: "b "', 'client_secret: c']),
      'b',
    ],
    [
      'client_secret',
      azure(['storage_account: costs', 'az_tenant_id: a', 'client_id: b', 'client_secret: "c\\n"']),
      'c',
    ],
  ])('white space around %s, with a warning', (name, yaml, value) => {
    const { config, warnings } = parse(yaml);
    const read = (config as unknown as Record<string, unknown>)[name];
    expect(read instanceof Secret ? read.reveal() : read).toBe(value);
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`line \\d+: config\\.${name} has white space around it`)),
    ]);
  });

  test('white space around the JSON of a key, which is part of its format', () => {
    const key = '{"type": "service_account",\n    "private_key": "k"}';
    expect(parse(`type: GCS\nconfig:\n  bucket: costs\n  service_account: |\n    ${key}\n`).warnings).toEqual(
      [],
    );
  });

  test('unknown keys of config, with a warning', () => {
    const { warnings, unknown } = parse(
      s3(['acess_key: x', 'http_config:', '  tls_config: { cafile: y }', 'wholly_unknown_thing: 1']),
    );
    expect(warnings).toEqual(
      [
        'federated-store.yaml line 5: config.acess_key is not known and has no effect. Did you mean access_key?',
        'federated-store.yaml line 8: config.wholly_unknown_thing is not known and has no effect.',
        'federated-store.yaml line 7: config.http_config.tls_config.cafile is not known and has no effect. Did you mean ca_file?',
      ].sort((a, b) => warnings.indexOf(a) - warnings.indexOf(b)),
    );
    expect(unknown).toEqual(warnings);
    expect(parse(azure(['storage_account: costs', 'pipeline_config: { max_try: 1 }'])).unknown).toEqual([
      'federated-store.yaml line 5: config.pipeline_config.max_try is not known and has no effect. Did you mean max_tries?',
    ]);
  });

  test.each([
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['2m', 120_000],
    ['1h0m5s', 3_605_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1d', 86_400_000],
  ])('the duration %s', (text, ms) => {
    expect(
      s3ConfigOf([`http_config: { response_header_timeout: ${text} }`]).http_config.response_header_timeout,
    ).toBe(ms);
  });
});

describe('what is refused', () => {
  test.each([
    ['', 'is empty'],
    ['# only a comment', 'is empty'],
    ['null', 'is empty'],
    ['- a', 'has to be a object'],
    ['type: S3\ntype: S3', 'line 2: not valid YAML (duplicate key)'],
    ['type: S3\n---\ntype: S3', 'line 2: not valid YAML (multiple docs)'],
    ['type: [', 'line 1: not valid YAML (bad indent)'],
    [`# ${'x'.repeat(1024 * 1024)}`, 'larger than 1 MiB'],
    [
      `a: &a [x]\nb: &b [${Array(11).fill('*a').join()}]\nc: [${Array(10).fill('*b').join()}]`,
      'too many aliases',
    ],
    ['type: *nowhere', 'an alias without an anchor'],
    ['config: {}', 'type is needed'],
    ['type: S3\nconfg: {}', 'line 2: confg is not known. Did you mean config?'],
    [
      'type: SWIFT\nconfig: {}',
      'line 1: type is wrong: SWIFT is not supported. There are S3, GCS, AZURE, FILESYSTEM.',
    ],
    ['type: CLUSTER', 'CLUSTER is not supported. It is OpenCost’s own file service'],
    ['type: FLOPPY', 'nobody knows it'],
    ['type: GCS', 'config.bucket is needed'],
    ['type: GCS\nconfig: { bucket: "gs://costs" }', 'config.bucket has to be the name of a bucket'],
    [
      'type: GCS\nconfig: { bucket: costs, service_account: "{" }',
      'config.service_account has to be the JSON',
    ],
    [
      'type: GCS\nconfig: { bucket: costs, service_account: \'{"type": "robot"}\' }',
      'its type one of service_account, external_account, authorized_user',
    ],
    ['type: AZURE\nconfig: { storage_account: costs }', 'config.container is needed'],
    ['type: AZURE\nconfig: { container: costs }', 'config.storage_account is needed, unless there is'],
    [azure(['storage_account: Not-One']), 'config.storage_account'],
    [
      azure(['storage_account: costs', 'storage_account_key: a', 'storage_connection_string: b']),
      'config.storage_account_key and storage_connection_string exclude each other',
    ],
    [
      azure(['storage_connection_string: b', 'user_assigned_id: c']),
      'config.user_assigned_id and storage_connection_string exclude each other',
    ],
    [
      azure(['storage_account: costs', 'client_id: a', 'client_secret: b']),
      'config.client_id belongs together with az_tenant_id and client_secret',
    ],
    [
      azure([
        'storage_account: costs',
        'client_id: a',
        'client_secret: b',
        'az_tenant_id: c',
        'user_assigned_id: d',
      ]),
      'config.user_assigned_id and client_id exclude each other',
    ],
    [azure(['storage_account: costs', 'max_retries: -1']), 'config.max_retries'],
    [
      azure(['storage_account: costs', 'pipeline_config: { try_timeout: 30 }']),
      'config.pipeline_config.try_timeout write it with its unit',
    ],
    [s3(['sts_endpoint: sts.example.com']), 'config.sts_endpoint has to be a URL'],
    ['type: FILESYSTEM', 'config.directory is needed'],
    ['type: S3\nconfig: { endpoint: e }', 'config.bucket is needed'],
    [
      'type: S3\nconfig:\n  bucket: 123\n  endpoint: e',
      'line 3: config.bucket has to be a string; put it in quotes',
    ],
    [
      s3(['send_content_md5: true', 'checksum: crc32']),
      'config.checksum crc32 contradicts send_content_md5: true',
    ],
    [s3(['insecure: "true"']), 'line 5: config.insecure has to be a boolean'],
    [s3(['insecure: yes']), 'config.insecure has to be a boolean'],
    [s3(['part_size: 5MB']), 'config.part_size has to be a'],
    [s3(['access_key: |', '  a', '  b', 'secret_key: c']), 'config.access_key has white space or a control'],
    [s3(['access_key: a', 'secret_key: "b c"']), 'config.secret_key has white space or a control'],
    [azure(['storage_connection_string: "a=b;\\nc=d"']), 'config.storage_connection_string has a line break'],
    [s3(['access_key: " "', 'secret_key: c']), 'config.access_key and secret_key belong together'],
    [s3(['access_key: a']), 'config.access_key and secret_key belong together'],
    [s3(['secret_key: a']), 'config.access_key and secret_key belong together'],
    [
      s3(['access_key: a', 'secret_key: b', 'aws_sdk_auth: true']),
      'config.aws_sdk_auth and access_key exclude each other',
    ],
    [s3(['signature_version2: true']), 'config.signature_version2 is not supported'],
    [
      s3(['http_config: { response_header_timeout: 30 }']),
      'config.http_config.response_header_timeout write it with its unit',
    ],
    [s3(['http_config: { response_header_timeout: "30" }']), 'write a duration with its units'],
    [s3(['http_config: { tls_config: { cert_file: a } }']), 'cert_file and key_file belong together'],
    [s3(['sse_config: { type: SSE-X }']), 'config.sse_config.type'],
    [s3(['sse_config: { type: SSE-KMS }']), 'kms_key_id is needed with SSE-KMS'],
    [s3(['sse_config: { type: SSE-C }']), 'encryption_key is needed with SSE-C'],
    [
      'type: S3\nconfig: { bucket: costs, endpoint: "https://s3.x/path" }',
      'config.endpoint has to be a host',
    ],
    [
      'type: S3\nconfig: { bucket: costs, endpoint: "http://s3.x" }',
      'begins with http, which contradicts insecure: false',
    ],
    [`${s3()}\nprefix: a/../b`, 'line 5: prefix is wrong: a part of it ends with a dot.'],
    [
      `${s3()}\nprefix: a//b`,
      'line 5: prefix is wrong: it begins or ends with a slash, or has two in a row.',
    ],
  ])('%j: %s', (yaml, message) => {
    expect(fault(yaml)).toContain(message);
  });
});

describe('secrets', () => {
  const yaml = s3(['access_key: AKIAVISIBLE', 'secret_key: s3cr3t', 'session_token: t0k3n']);

  test('are shown only to the client', () => {
    const store = parse(yaml);
    const shown = [
      inspect(store, { depth: 9 }),
      JSON.stringify(store),
      `${inspect(describeFederatedStore(store))}`,
    ].join();
    expect(shown).toContain('costs');
    expect(shown).not.toMatch(/s3cr3t|t0k3n|AKIAVISIBLE/);
    expect(s3Credentials(s3ConfigOf([], yaml))).toMatchObject({
      secretAccessKey: 's3cr3t',
      sessionToken: 't0k3n',
    });
  });

  test('are never shown in messages', () => {
    for (const broken of [
      `${yaml}\n  secret_key: s3cr3t`,
      yaml.replace('s3cr3t', '[s3cr3t'),
      yaml.replace('s3cr3t', '{s3cr3t: 1}'),
      yaml.replace('AKIAVISIBLE', ''),
    ]) {
      expect(fault(broken)).not.toMatch(/s3cr3t|t0k3n/);
    }
  });
});

test('headers among the user metadata stay headers', () => {
  const { headers, metadata } = userHeaders(
    s3ConfigOf([
      'put_user_metadata: { X-Amz-Acl: private, x-amz-storage-class: STANDARD_IA, Team: costs, X-Amz-Meta-Owner: me }',
    ]),
  );
  expect(headers).toEqual({ ACL: 'private', StorageClass: 'STANDARD_IA' });
  expect(metadata).toEqual({ team: 'costs', owner: 'me' });
});
