import { inspect } from 'node:util';
import { s3Credentials, s3Location, type S3Config } from '../../storage/drivers/s3-config';
import { userHeaders } from '../../storage/drivers/s3-headers';
import { describeFederatedStore, parseFederatedStore } from '../../storage/federated-store';

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
const s3ConfigOf = (lines: string[] = [], yaml = s3(lines)): S3Config => {
  const store = parse(yaml);
  if (store.type !== 'S3') throw new Error('not S3');
  return store.config;
};

// The sample of Kubecost's documentation, with every field that it shows.
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

describe('what is accepted', () => {
  test('Kubecost’s sample', () => {
    const store = parse(kubecostSample);
    expect(store).toMatchObject({
      type: 'S3',
      prefix: '',
      config: { bucket: 'my-bucket', part_size: 134217728 },
    });
    expect(store.warnings).toEqual([
      'config.trace has no effect here.',
      'config.http_config.idle_conn_timeout has no effect here.',
    ]);
  });

  test('a folder', () => {
    expect(parse('type: filesystem\nconfig: { directory: /data }\nprefix: /a/b//\n')).toEqual({
      type: 'FILESYSTEM',
      config: { directory: '/data' },
      prefix: 'a/b',
      warnings: [],
    });
    expect(parse('type: FILESYSTEM\nconfig: { directory: data }').config).toEqual({
      directory: `${process.cwd()}/data`,
    });
  });

  test.each(['', '/', '//'])('a prefix %j, which is none', (prefix) => {
    expect(parse(`${s3()}\nprefix: "${prefix}"`)).toMatchObject({ prefix: '', warnings: [] });
  });

  test('settings without a value, which are not set', () => {
    expect(s3ConfigOf(['region:', 'access_key: ~', 'sse_config:'])).toMatchObject({ region: '' });
  });

  test('a prefix that every key has already, as OpenCost does', () => {
    const store = parse(`${s3()}\nprefix: federated/`);
    expect(store.prefix).toBe('');
    expect(store.warnings.join()).toMatch(/federated\/<cluster id>/);
    expect(parse(`${s3()}\nprefix: federated/x`)).toMatchObject({
      prefix: 'federated/x',
      warnings: [expect.stringContaining('federated/x/federated/')],
    });
    expect(parse(`${s3()}\nprefix: federated-2`).warnings).toEqual([]);
  });

  test('keys of config that nobody knows, with a warning', () => {
    const { warnings } = parse(
      s3(['acess_key: x', 'http_config:', '  tls_config: { cafile: y }', 'wholly_unknown_thing: 1']),
    );
    expect(warnings).toEqual(
      [
        'federated-store.yaml line 5: config.acess_key is not known and has no effect. Did you mean access_key?',
        'federated-store.yaml line 8: config.wholly_unknown_thing is not known and has no effect.',
        'federated-store.yaml line 7: config.http_config.tls_config.cafile is not known and has no effect. Did you mean ca_file?',
      ].sort((a, b) => warnings.indexOf(a) - warnings.indexOf(b)),
    );
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
    ['type: S3\ntype: S3', 'line 2: a key occurs twice'],
    ['type: S3\n---\ntype: S3', 'more than one YAML document'],
    ['type: [', 'line 1: this is no valid YAML'],
    [`# ${'x'.repeat(1024 * 1024)}`, 'more than 1 MiB'],
    [`a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]`, 'anchors'],
    ['config: {}', 'type is needed'],
    ['type: S3\nconfg: {}', 'line 2: confg is not known. Did you mean config?'],
    [
      'type: GCS\nconfig: {}',
      'line 1: type is wrong: GCS is not supported by this build. There are S3, FILESYSTEM.',
    ],
    ['type: CLUSTER', 'not supported by this build'],
    ['type: FLOPPY', 'nobody knows it'],
    ['type: FILESYSTEM', 'config.directory is needed'],
    ['type: S3\nconfig: { endpoint: e }', 'config.bucket is needed'],
    [
      'type: S3\nconfig:\n  bucket: 123\n  endpoint: e',
      'line 3: config.bucket has to be a string; put it in quotes',
    ],
    [s3(['insecure: "true"']), 'line 5: config.insecure has to be a boolean'],
    [s3(['insecure: yes']), 'config.insecure has to be a boolean'],
    [s3(['part_size: 5MB']), 'config.part_size has to be a'],
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
    [`${s3()}\nprefix: a/../b`, 'line 5: prefix it has a part'],
  ])('%j: %s', (yaml, message) => {
    expect(fault(yaml)).toContain(message);
  });
});

describe('secrets', () => {
  const yaml = s3(['access_key: AKIAVISIBLE', 'secret_key: s3cr3t', 'session_token: t0k3n']);

  test('show nowhere but to the client', () => {
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

  test('show in no message', () => {
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

describe('where S3 is', () => {
  test.each([
    ['s3.amazonaws.com', { url: undefined, region: 'us-east-1', pathStyle: false, isAws: true }],
    ['s3.eu-west-1.amazonaws.com', { url: undefined, region: 'eu-west-1', pathStyle: false, isAws: true }],
    ['s3-eu-west-1.amazonaws.com', { url: undefined, region: 'eu-west-1', pathStyle: false, isAws: true }],
    ['s3.dualstack.eu-west-1.amazonaws.com', { url: undefined, region: 'eu-west-1', isAws: true }],
    ['s3.cn-north-1.amazonaws.com.cn', { url: undefined, region: 'cn-north-1', isAws: true }],
    [
      'minio.local:9000',
      { url: 'https://minio.local:9000', region: 'us-east-1', pathStyle: true, isAws: false },
    ],
    ['https://minio.local', { url: 'https://minio.local', isAws: false }],
  ])('%s', (endpoint, location) => {
    expect(s3Location(s3ConfigOf([], s3().replace('s3.amazonaws.com', endpoint)))).toMatchObject(location);
  });

  test('said otherwise', () => {
    expect(s3Location(s3ConfigOf(['region: eu-1', 'bucket_lookup_type: path']))).toMatchObject({
      region: 'eu-1',
      pathStyle: true,
    });
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
