import { Writable } from 'node:stream';
import { createLog } from '../../config/log';
import { keepSecretVariables } from '../../config/secret-variables';
import { errorLine } from '../../errors/error-line';
import { describeError, FederationError } from '../../errors/federation-error';
import { keepSecret, withoutSecrets } from '../../errors/secrets';
import { Secret } from '../../storage/secret';

const secret = 'pl4nted/+s3cret "with" ümlaut&more';
keepSecret(secret);
const json = JSON.stringify(secret).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a secret that was read', () => {
  it.each([
    ['as it is', `The store says: ${secret}!`, 'The store says: ***!'],
    ['in JSON', `{"a":"${json}"}`, '{"a":"***"}'],
    ['in a URL', `https://h/?key=${encodeURIComponent(secret)}&b=1`, 'https://h/?key=***&b=1'],
    [
      'in a URL in lower case',
      encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      '***',
    ],
    ['twice', `${secret} ${secret}`, '*** ***'],
  ])('is hidden %s', (_, text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  it.each(['', 'a', 'ab', 'user:', 'user1:', 'user12:'])('is hidden in base64 after %p', (before) => {
    for (const after of ['', '!', '!!'])
      for (const encoding of ['base64', 'base64url'] as const) {
        const shown = withoutSecrets(Buffer.from(`${before}${secret}${after}`).toString(encoding));
        expect(shown).toMatch(/\*\*\*/);
        expect(shown.length).toBeLessThan(before.length + 12);
      }
  });

  it('is hidden by each of its lines', () => {
    const lines = ['MIIEvQIBADANBgkqhkiG9w0BAQ', 'ZmFrZSBrZXkgbGluZSBudW1iZXI'];
    keepSecret(`-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`);
    for (const line of lines) expect(withoutSecrets(`bad line: ${line}`)).toBe('bad line: ***');
  });

  it('is hidden once a Secret has it, but not if it is too short to be one', () => {
    expect(withoutSecrets('word of-a-Secret')).toContain('of-a-Secret');
    new Secret('of-a-Secret');
    new Secret('word');
    expect(withoutSecrets('word of-a-Secret')).toBe('word ***');
  });

  it('is hidden without the scheme of its header', () => {
    keepSecret('Bearer header-12345');
    expect(withoutSecrets('not header-12345')).toBe('not ***');
  });

  it('is hidden for as long as it is in use, in each of its forms, however many others are renewed', () => {
    const used = 'in-use/for+ever';
    // More than fit in memory are read in all, but not between one reading of this one and the next.
    for (let renewed = 0; renewed < 40; renewed++) {
      if (renewed % 20 === 0) keepSecret(used);
      keepSecret(`${renewed} `.repeat(1_000));
    }
    for (const form of [used, encodeURIComponent(used), base64(used)])
      expect(withoutSecrets(`not ${form}`)).toMatch(/^not \*{3}/);
    expect(withoutSecrets('0 '.repeat(1_000))).not.toContain('***');
    // The other tests need it.
    keepSecret(secret);
  });

  it('is not every header that is sent to Temporal', () => {
    keepSecretVariables({ TEMPORAL_GRPC_META_TEMPORAL_NAMESPACE: 'prod-costs' });
    expect(withoutSecrets('in prod-costs')).toBe('in prod-costs');
  });

  it.each([
    ['AWS_SESSION_TOKEN', 'session-1234'],
    ['AZURE_CLIENT_SECRET', 'client-12345'],
    ['TEMPORAL_API_KEY', 'api-key-12345'],
    ['TEMPORAL_CODEC_AUTH', 'codec-12345'],
    ['TEMPORAL_GRPC_META_AUTHORIZATION', 'meta-12345'],
  ])('is hidden if %s has it', (name, value) => {
    keepSecretVariables({ [name]: value });
    expect(withoutSecrets(`not ${value}`)).toBe('not ***');
  });

  it('is hidden if it is the password of a proxy, also as it is sent', () => {
    keepSecretVariables({ HTTPS_PROXY: 'http://kim:pr0xy%40pass@proxy:3128' });
    for (const text of ['pr0xy%40pass', 'pr0xy@pass', base64('kim:pr0xy@pass')])
      expect(withoutSecrets(`407 ${text}`)).toMatch(/^407 \*{3}/);
  });
});

describe('what looks like a secret', () => {
  it.each([
    ['https://kim:pass@host/path', 'https://***@host/path'],
    [
      'at http://kim:pa/ss@host:1/x, twice http://:pass@host',
      'at http://***@host:1/x, twice http://***@host',
    ],
    ['https://token@host/', 'https://***@host/'],
    ['"kim:pass@host:7233" is not', '"***@host:7233" is not'],
    ['https://a.blob/c?sv=1&sig=a%2Bb%3D&se=2', 'https://a.blob/c?sv=1&sig=***&se=2'],
    [
      'DefaultEndpointsProtocol=https;AccountKey=abc+/==;x=y',
      'DefaultEndpointsProtocol=https;AccountKey=***;x=y',
    ],
    ['authorization: Bearer abcdefghijklmnop.qrst', 'authorization: Bearer ***'],
    ['"-----BEGIN RSA PRIVATE KEY-----\\nMII\\n-----END RSA PRIVATE KEY-----"', '"***"'],
    ['{"a":"{\\"k\\":\\"-----BEGIN PRIVATE KEY-----\\\\nMII\\"}"}', '{"a":"{\\"k\\":\\"***\\"}"}'],
  ])('is hidden: %s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  it.each([
    'https://host:8080/path@2026',
    's3://bucket/federated/a@b/etl',
    'c1@host/123',
    'file:///data/kim@work/bucket',
    'Could not read in gs://b: NoSuchKey, 404: mail ann@example.com',
    '2026-11-20T21:35:27Z host:7233',
    'nginx:1.25@sha256:0123',
    'mailto:ops@example.com',
    'cluster-3:wrong@2026-11-01',
    'http://[::1]:9003/path@x',
  ])('is not %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('is looked for in time in proportion to the text', () => {
    // Time that grows with the square of the length would exceed the limit of a test many times.
    for (const part of [
      'a.',
      'http://',
      'a:',
      'x@',
      '-----BEGIN PRIVATE KEY-----',
      'sig=',
      '://a:b',
      '"a:',
    ]) {
      const text = part.repeat(30_000);
      expect(withoutSecrets(text).length).toBeLessThanOrEqual(text.length);
    }
  });
});

describe('no secret is shown', () => {
  const errors = [
    new FederationError('STORAGE_UNAVAILABLE', { detail: `It says ${secret}.`, cause: new Error(secret) }),
    new Error('outer', { cause: new Error(secret) }),
    Object.assign(new Error(secret), { code: 'E' }),
  ];

  it.each(errors)('by an error: %#', (error) => {
    expect(describeError(error)).not.toContain(secret);
    expect(errorLine(error)).not.toContain(secret);
    if (error instanceof FederationError)
      expect(error).toMatchObject({ message: 'It says ***.', detail: 'It says ***.' });
  });

  it.each(['json', 'pretty'] as const)('in the log as %s: not in a message, a field or a stack', (format) => {
    let written = '';
    const to = new Writable({ write: (chunk, _, done) => ((written += String(chunk)), done()) });
    const log = createLog({ level: 'debug', format }, to);
    for (const err of errors)
      log.error({ event: 'e', err, reason: err, deep: [{ secret }] }, `It is ${secret}`);
    expect(written).toContain('It is ***');
    for (const form of [secret, json]) expect(written).not.toContain(form);
    if (format === 'json') for (const line of written.trim().split('\n')) JSON.parse(line);
  });
});
