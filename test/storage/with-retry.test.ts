import { randomBytes } from 'node:crypto';
import { FederationError } from '../../errors/federation-error';
import { discard } from '../../storage/body';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { readAll } from '../../storage/read-all';
import { repeatable, withRetry } from '../../storage/with-retry';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { type Faults, unavailable, withFaults } from './with-faults';

afterAll(removeTemporaryFolders);

const patience = { firstPauseMs: 1, longestPauseMs: 5 };
const inner = openFilesystem({ directory: temporaryFolder() });
const open = (faults: Faults) => {
  const faulty = withFaults(inner, faults);
  return { faulty, bucket: withRetry(faulty, patience) };
};
const bytes = randomBytes(1_000_000);

test('retryable failures get four attempts in total', async () => {
  const lost = ['request lost', 'answer lost', 'request lost'] as const;
  const { bucket, faulty } = open({
    calls: { put: [...lost], head: [...lost, 'request lost'], delete: [...lost], copy: [...lost] },
  });
  await bucket.put('a', bytes);
  await bucket.copy('a', 'b');
  await bucket.delete('b');
  expect(faulty.made).toMatchObject({ put: 4, copy: 4, delete: 4 });
  await expect(bucket.head('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(faulty.made.head).toBe(4);
});

test('other failures are not retried', async () => {
  const denied = new FederationError('STORAGE_ACCESS_DENIED', { detail: 'no' });
  const { bucket, faulty } = open({ calls: { put: [denied] } });
  await expect(bucket.put('denied', bytes)).rejects.toBe(denied);
  await expect(bucket.get('missing')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
  const { version } = await bucket.put('pinned', bytes);
  await bucket.put('pinned', Buffer.from('new'));
  await expect(bucket.get('pinned', { version })).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  expect(faulty.made).toMatchObject({ put: 3, get: 2 });
});

test('Retry-After is honoured, and an abort ends the wait', async () => {
  const busy = new FederationError('STORAGE_THROTTLED', { detail: 'slow down', retryAfterMs: 150 });
  const busyForLong = new FederationError('STORAGE_THROTTLED', { detail: 'slow down', retryAfterMs: 60_000 });
  const { bucket } = open({ calls: { put: [busy], head: [busyForLong] } });
  const start = Date.now();
  await bucket.put('throttled', bytes);
  expect(Date.now() - start).toBeGreaterThanOrEqual(145);
  const reason = new Error('enough');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  await expect(bucket.head('throttled', { signal: controller.signal })).rejects.toBe(reason);
});

test('a store that stays down gets one request per call once the retry budget is spent', async () => {
  const faulty = withFaults(inner, {
    calls: { head: Array.from({ length: 60 }, () => 'request lost' as const) },
  });
  const bucket = withRetry(faulty, { ...patience, budget: 10 });
  const heads = async (count: number) => {
    const made = faulty.made.head;
    for (let i = 0; i < count; i += 1) await bucket.head('a').catch(() => undefined);
    return faulty.made.head - made;
  };
  // The budget allows 10 retries: three for each of the first three calls, and one for the fourth call.
  expect(await heads(20)).toBe(20 + 10);
  expect(await heads(30)).toBe(30);
  // The store works again. Successful calls refill the budget until it allows for one retry.
  await heads(5);
  faulty.fail('head', 'request lost');
  expect(await heads(1)).toBe(2);
});

test('retries of calls that succeed are refunded', async () => {
  const everyOther = Array.from({ length: 100 }, (_, i) =>
    i % 2 === 0 ? ('request lost' as const) : undefined,
  );
  const bucket = withRetry(withFaults(inner, { calls: { put: everyOther } }), { ...patience, budget: 2 });
  for (let i = 0; i < 50; i += 1) await bucket.put('half', Buffer.from('x'));
});

describe('a body that is a stream', () => {
  async function* once() {
    await Promise.resolve();
    yield bytes;
  }

  test('is not sent twice, as it may be consumed', async () => {
    const { bucket, faulty } = open({ calls: { put: ['request lost'] } });
    await expect(bucket.put('stream', once())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(faulty.made.put).toBe(1);
  });

  test('is sent again if it is repeatable', async () => {
    const { bucket, faulty } = open({ calls: { put: ['answer lost', 'request lost'] } });
    await bucket.put('stream', repeatable(once));
    expect(faulty.made.put).toBe(3);
    expect((await readAll(bucket, 'stream')).bytes.equals(bytes)).toBe(true);
  });
});

describe('a create whose answer was lost', () => {
  test('has succeeded if its bytes exist', async () => {
    const { bucket, faulty } = open({ calls: { create: ['answer lost'] } });
    const info = await bucket.create('g/1', bytes);
    expect(faulty.made.create).toBe(1);
    expect(await bucket.head('g/1')).toMatchObject({ version: info.version, size: bytes.length });
    const streamed = open({ calls: { create: ['answer lost'] } });
    async function* halves() {
      await Promise.resolve();
      yield bytes.subarray(0, 10);
      yield bytes.subarray(10);
    }
    await streamed.bucket.create('g/2', repeatable(halves));
    expect(streamed.faulty.made.create).toBe(1);
    // A request to create an object may fail and yet take effect.
    // The next attempt then recognizes the object by its bytes.
    const throttled = new FederationError('STORAGE_THROTTLED', { detail: 'and yet it was done' });
    const late = withFaults(inner, { calls: { create: [throttled] } });
    await inner.put('g/3', bytes);
    await withRetry(late, patience).create('g/3', bytes);
    expect(late.made.create).toBe(2);
  });

  test.each([Buffer.from('theirs'), Buffer.from('x'.repeat(bytes.length))])(
    'has lost if other bytes exist',
    async (theirs) => {
      const { bucket } = open({ calls: { create: ['request lost'] } });
      await inner.put('g/3', theirs);
      await expect(bucket.create('g/3', bytes)).rejects.toMatchObject({
        code: 'STORAGE_PRECONDITION_FAILED',
      });
      expect((await readAll(inner, 'g/3')).bytes.equals(theirs)).toBe(true);
    },
  );

  test('with no earlier failure, equal bytes are still someone else’s', async () => {
    const { bucket } = open({});
    await inner.put('g/4', bytes);
    await expect(bucket.create('g/4', bytes)).rejects.toMatchObject({ code: 'STORAGE_PRECONDITION_FAILED' });
  });
});

describe('a body that breaks off', () => {
  beforeAll(() => inner.put('body', bytes));

  test('resumes where it broke off', async () => {
    const { bucket, faulty } = open({
      bodies: [0, 1, 250_000, 700_000],
      calls: { get: [undefined, 'request lost'] },
    });
    expect((await readAll(bucket, 'body')).bytes.equals(bytes)).toBe(true);
    expect(faulty.made.get).toBe(6);
  });

  test('stays within its range', async () => {
    const { bucket } = open({ bodies: [10, 20] });
    const { body } = await bucket.get('body', { range: { offset: 100, length: 1000 } });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes.subarray(100, 1100))).toBe(true);
  });

  test('is given up if nothing more arrives', async () => {
    const { bucket } = open({ bodies: [5, 0, 0, 0] });
    await expect(readAll(bucket, 'body')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('is given up too if only empty chunks arrive', async () => {
    let gets = 0;
    async function* empty(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array();
      // After too many reads, throw an error that is not retried. Otherwise, the test would hang if `withRetry` never
      // gave up.
      throw gets > 20 ? new Error('never given up') : unavailable();
    }
    const faulty = withFaults(inner, {});
    const bucket = withRetry(
      {
        ...faulty,
        get: async (key, options) => {
          gets += 1;
          const { head, body } = await inner.get(key, options);
          await discard(body);
          return { head, body: empty() };
        },
      },
      patience,
    );
    await expect(readAll(bucket, 'body')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('is never mixed with another version of the object', async () => {
    const { bucket } = open({ bodies: [500_000] });
    await inner.put('mixed', bytes);
    const { body } = await bucket.get('mixed');
    await inner.put('mixed', randomBytes(bytes.length));
    await expect(drain(body)).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  });
});

test('a listing that breaks off resumes after its last entry', async () => {
  const keys = Array.from({ length: 20 }, (_, i) => `list/${String(i).padStart(2, '0')}/x`);
  for (const key of keys) await inner.put(key, Buffer.from(''));
  const { bucket, faulty } = open({ lists: [0, 7, 0, 3, 0, 4, 0, 1] });
  const listed: string[] = [];
  for await (const entry of bucket.list('list/')) listed.push(entry.kind === 'object' ? entry.key : '');
  for await (const entry of bucket.list('list/', { delimiter: '/' }))
    listed.push(entry.kind === 'prefix' ? `${entry.prefix}x` : '');
  expect(listed).toEqual([...keys, ...keys]);
  expect(faulty.made.list).toBe(10);
  const { bucket: broken } = open({ lists: [0, 0, 0, 0] });
  await expect(drain(broken.list('list/'))).rejects.toEqual(unavailable());
});

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
