import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FederationError } from '../../errors/federation-error';
import type { Bucket } from '../../storage/bucket';
import { unsafeWithoutCondition } from '../../storage/conditional-create';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import {
  isStranger,
  probeBucket,
  probeOperations,
  type ProbeOptions,
  type ProbeResult,
} from '../../storage/probe-bucket';
import { readOnly } from '../../storage/read-only';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { withFaults } from './with-faults';

afterAll(removeTemporaryFolders);

const prefix = 'federated/combined/';
const probe = (bucket: Bucket, options: Partial<ProbeOptions> = {}) =>
  probeBucket(bucket, {
    prefix,
    operations: probeOperations,
    key: `${prefix}probe/${randomUUID()}`,
    now: () => new Date(),
    ...options,
  });
const outcomes = (results: readonly ProbeResult[]) =>
  Object.fromEntries(results.map(({ operation, outcome }) => [operation, outcome]));
const detailOf = (results: readonly ProbeResult[], wanted: ProbeResult['operation']) =>
  results.find(({ operation }) => operation === wanted)?.detail;
const allWell = {
  list: 'ok',
  write: 'ok',
  replace: 'ok',
  head: 'ok',
  clock: 'ok',
  read: 'ok',
  copy: 'ok',
  delete: 'ok',
  'conditional create': 'ok',
};

async function keys(bucket: Bucket): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of bucket.list('')) found.push(entry.kind === 'object' ? entry.key : entry.prefix);
  return found;
}

const denied = (what: string) => async (): Promise<never> => {
  throw new FederationError('STORAGE_ACCESS_DENIED', { detail: `Could not ${what}: AccessDenied, 403` });
};

/**
 * Opens a new folder as a bucket. The methods that `change` returns replace the bucket's methods with the same names.
 */
function folder(change: (bucket: Bucket) => Partial<Bucket> = () => ({})): Bucket & { at: string } {
  const at = temporaryFolder();
  // Use `withFaults`, although no faults are wanted: it returns a plain object, whose methods can be copied and
  // replaced.
  const bucket = withFaults(openFilesystem({ directory: at }), {});
  return { ...bucket, ...change(bucket), at };
}

describe('a folder', () => {
  it('supports everything, and is left unchanged', async () => {
    const bucket = folder();
    const results = await probe(bucket);
    expect(outcomes(results)).toEqual(allWell);
    expect(results.map(({ operation }) => operation)).toEqual(Object.keys(allWell));
    expect(readdirSync(bucket.at)).toEqual([]);
  });

  it('that does not exist is reported once', async () => {
    const [first, ...others] = await probe(openFilesystem({ directory: join(temporaryFolder(), 'none') }));
    expect(first).toMatchObject({
      operation: 'list',
      outcome: 'failed',
      hopeless: true,
      error: { code: 'STORAGE_BUCKET_NOT_FOUND' },
    });
    expect(others.map(({ outcome }) => outcome)).toEqual(Array(probeOperations.length - 1).fill('skipped'));
  });

  it('with a file in place of the folder cannot be written', async () => {
    const bucket = folder();
    await bucket.put('federated/combined', Buffer.from('in the way'));
    const results = await probe(bucket);
    expect(outcomes(results)).toMatchObject({ write: 'failed', replace: 'skipped', delete: 'skipped' });
    expect(await keys(bucket)).toEqual(['federated/combined']);
  });
});

describe('without write access', () => {
  const operations = ['list', 'read'] as const;

  it('the first object is read', async () => {
    const bucket = folder();
    await bucket.put(`${prefix}objects/1`, Buffer.from('one'));
    const results = await probe(readOnly(bucket), { operations });
    expect(outcomes(results)).toEqual({ list: 'ok', read: 'ok' });
    expect(detailOf(results, 'read')).toContain(`${prefix}objects/1`);
  });

  it('there may be nothing to read yet', async () => {
    expect(outcomes(await probe(readOnly(folder()), { operations }))).toEqual({
      list: 'ok',
      read: 'skipped',
    });
  });
});

describe('a store that refuses', () => {
  it('writes: the rest is skipped, not failed', async () => {
    const results = await probe(readOnly(folder()));
    expect(outcomes(results)).toEqual({
      list: 'ok',
      write: 'failed',
      replace: 'skipped',
      head: 'skipped',
      read: 'skipped',
      copy: 'skipped',
      delete: 'skipped',
      'conditional create': 'skipped',
    });
    expect(results.some(({ hopeless }) => hopeless)).toBe(false);
  });

  it('listings: the rest is tested', async () => {
    const bucket = folder(() => ({
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: denied('list') }) }),
    }));
    const results = await probe(bucket);
    expect(outcomes(results)).toEqual({ ...allWell, list: 'failed' });
    expect(isStranger(results[0]?.error)).toBe(false);
  });

  it.each([
    ['read', { get: denied('read') }, { read: 'failed', copy: 'failed', delete: 'ok' }],
    [
      'copy',
      { copy: denied('copy') },
      { read: 'ok', copy: 'failed', delete: 'ok', 'conditional create': 'ok' },
    ],
  ])('to %s: only that fails, and nothing is left behind', async (_, change, expected) => {
    const bucket = folder(() => change);
    expect(outcomes(await probe(bucket))).toEqual({ ...allWell, ...expected });
    expect(readdirSync(bucket.at)).toEqual([]);
  });

  it('deletes: leftovers are named, and no more is written', async () => {
    const bucket = folder(() => ({ delete: denied('delete') }));
    const results = await probe(bucket, { key: `${prefix}probe/p` });
    expect(outcomes(results)).toMatchObject({ delete: 'failed', 'conditional create': 'skipped' });
    expect(detailOf(results, 'delete')).toContain(`${prefix}probe/p, ${prefix}probe/p-copy.`);
  });

  it('deletes, if they are not needed: a warning', async () => {
    const bucket = folder(() => ({ delete: denied('delete') }));
    const results = await probe(bucket, { operations: ['list', 'write'], key: `${prefix}probe/p` });
    expect(outcomes(results)).toEqual({ list: 'ok', write: 'ok', delete: 'warning' });
    expect(detailOf(results, 'delete')).toContain(`${prefix}probe/p.`);
  });
});

describe('a store that misbehaves', () => {
  it('by ignoring the condition of a create causes a warning, and is left clean', async () => {
    const bucket = folder(({ put }) => ({ create: put }));
    const results = await probe(bucket);
    expect(outcomes(results)).toEqual({ ...allWell, 'conditional create': 'warning' });
    expect(detailOf(results, 'conditional create')).toBe(unsafeWithoutCondition);
    expect(readdirSync(bucket.at)).toEqual([]);
  });

  it('by losing metadata is detected', async () => {
    const bucket = folder(({ put }) => ({ put: (key, body, { signal } = {}) => put(key, body, { signal }) }));
    const results = await probe(bucket);
    expect(outcomes(results)).toMatchObject({ head: 'failed', read: 'ok', delete: 'ok' });
    expect(detailOf(results, 'head')).toMatch(/does not keep the metadata/);
  });

  it('by keeping deleted objects is detected', async () => {
    const bucket = folder(() => ({ delete: async () => undefined }));
    expect(outcomes(await probe(bucket))).toMatchObject({
      delete: 'failed',
      'conditional create': 'skipped',
    });
  });
});

describe('the clock', () => {
  it.each([
    [30, 'ok'],
    [120, 'warning'],
    [-120, 'warning'],
    [1200, 'failed'],
    [-1200, 'failed'],
  ])('%d s ahead here: %s', async (seconds, outcome) => {
    const results = await probe(folder(), { now: () => new Date(Date.now() + seconds * 1000) });
    expect(outcomes(results)).toEqual({ ...allWell, clock: outcome });
    expect(detailOf(results, 'clock')).toContain(seconds > 0 ? ' s behind this' : ' s ahead of this');
  });
});

describe('nothing is left behind', () => {
  it('after an interruption', async () => {
    const stop = new AbortController();
    const bucket = folder(({ copy }) => ({
      async copy(...args) {
        const copied = await copy(...args);
        stop.abort();
        return copied;
      },
    }));
    const results = await probe(bucket, { signal: stop.signal });
    expect(outcomes(results)).toMatchObject({
      read: 'ok',
      copy: 'skipped',
      delete: 'skipped',
      'conditional create': 'skipped',
    });
    expect(readdirSync(bucket.at)).toEqual([]);
  });

  it('after the response to a write is lost', async () => {
    const at = temporaryFolder();
    const bucket = withFaults(openFilesystem({ directory: at }), { calls: { put: ['answer lost'] } });
    expect(outcomes(await probe(bucket))).toMatchObject({ write: 'failed', replace: 'skipped' });
    expect(readdirSync(at)).toEqual([]);
  });
});

it('a silent store is given up once', async () => {
  const silent = (_: unknown, options: { signal?: AbortSignal } = {}) => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise<never>((_resolve, reject) =>
          options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)),
        ),
    }),
  });
  const [first, ...others] = await probe(
    folder(() => ({ list: silent })),
    { patienceMs: 50 },
  );
  expect(first).toMatchObject({
    outcome: 'failed',
    hopeless: true,
    detail: 'The store did not answer within 0.05 s.',
  });
  expect(new Set(others.map(({ outcome }) => outcome))).toEqual(new Set(['skipped']));
});

describeWithS3('an S3 server', () => {
  const open = async (bucket: string, settings: object = {}) => {
    const config = { ...s3Settings(await connectToS3(), bucket), ...settings };
    return openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
  };
  const made = async () => {
    const name = `b-${randomUUID()}`;
    await (await connectToS3()).createBucket(name);
    return name;
  };

  it('supports everything, and is left unchanged', async () => {
    const bucket = await open(await made());
    expect(outcomes(await probe(bucket))).toEqual(allWell);
    expect(await keys(bucket)).toEqual([]);
    await bucket.close();
  });

  it.each([
    ['a missing bucket', () => open(`b-${randomUUID()}`), 'STORAGE_BUCKET_NOT_FOUND'],
    ['a wrong secret', async () => open(await made(), { secret_key: 'wrong' }), 'STORAGE_ACCESS_DENIED'],
    ['a wrong endpoint', () => open('bucket', { endpoint: '127.0.0.1:1' }), 'STORAGE_UNAVAILABLE'],
  ])('%s is reported once', async (_, opened, code) => {
    const bucket = await opened();
    const [first, ...others] = await probe(bucket);
    expect(first).toMatchObject({ outcome: 'failed', hopeless: true, error: { code } });
    expect(new Set(others.map(({ outcome }) => outcome))).toEqual(new Set(['skipped']));
    await bucket.close();
  });
});

test.each([
  ['SignatureDoesNotMatch, 403, …', true],
  ['AuthorizationFailure, 403, Server failed to authenticate the request. …', true],
  ['noCredentials, no token: Could not load the default credentials.', true],
  ['required, 401, Anonymous caller does not have storage.objects.list access.', true],
  ['AccessDenied, 403, Access Denied', false],
  ['AuthorizationPermissionMismatch, 403, This request is not authorized to perform this operation.', false],
])('%s: the user is refused, not the operation: %p', (what, stranger) => {
  const error = new FederationError('STORAGE_ACCESS_DENIED', {
    detail: `Could not list in s3://costs: ${what}`,
  });
  expect(isStranger(error)).toBe(stranger);
});
