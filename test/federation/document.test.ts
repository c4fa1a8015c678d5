import { z } from 'zod';
import {
  createDocument,
  defineDocument,
  readDocument,
  readIntact,
  replaceDocument,
  requireDocument,
} from '../../federation/document';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { flippingBucket } from '../activities/flipping';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';

afterAll(removeTemporaryFolders);

const bucket = openFilesystem({ directory: temporaryFolder() });
const kind = {
  pattern: 'numbers/<name>.json',
  writer: 'a test',
  key: (name: string) => `numbers/${name}.json`,
  schema: z.object({ n: z.number() }),
  limit: 40,
  damaged: 'STORAGE_CORRUPT',
} as const;
const numbers = defineDocument(kind);
const store = (name: string, text: string) => bucket.put(kind.key(name), Buffer.from(text));

test('a document is read back as it was written, on one line', async () => {
  await replaceDocument(bucket, numbers.at('written'), { n: 1 });
  expect(await readDocument(bucket, numbers.at('written'))).toEqual({ n: 1 });
  expect((await bucket.head('numbers/written.json'))?.size).toBe('{"n":1}\n'.length);
});

test('unknown members are dropped', async () => {
  await store('newer', '{"n":1,"more":true}');
  expect(await readDocument(bucket, numbers.at('newer'))).toEqual({ n: 1 });
});

test('an absent document is undefined, or an error if it is required', async () => {
  expect(await readDocument(bucket, numbers.at('none'))).toBeUndefined();
  expect(await readIntact(bucket, numbers.at('none'))).toBeUndefined();
  await expect(requireDocument(bucket, numbers.at('none'))).rejects.toMatchObject({
    code: 'STORAGE_NOT_FOUND',
    subject: { key: 'numbers/none.json' },
  });
});

test('only the first of two creations writes', async () => {
  expect(await createDocument(bucket, numbers.at('once'), { n: 1 })).toBe(true);
  expect(await createDocument(bucket, numbers.at('once'), { n: 2 })).toBe(false);
  expect(await requireDocument(bucket, numbers.at('once'))).toEqual({ n: 1 });
});

test('a document above the limit is not read', async () => {
  await store('limit', `{"n":1}${' '.repeat(33)}`);
  await store('large', `{"n":1}${' '.repeat(34)}`);
  expect(await readDocument(bucket, numbers.at('limit'))).toEqual({ n: 1 });
  await expect(readDocument(bucket, numbers.at('large'))).rejects.toMatchObject({
    code: 'STORAGE_TOO_LARGE',
  });
  await expect(readIntact(bucket, numbers.at('large'))).rejects.toMatchObject({ code: 'STORAGE_TOO_LARGE' });
});

describe('a document carries the digest of its bytes', () => {
  const { bucket: flaky, flip } = flippingBucket(bucket);
  const flipped = numbers.at('flipped');
  const digit = '{"n":'.length;
  beforeEach(() => replaceDocument(bucket, flipped, { n: 1 }));

  test('so a bit that flips on the way is noticed, and the document is read again', async () => {
    const reads = flip(flipped.key, digit, 3);
    expect(await readDocument(flaky, flipped)).toEqual({ n: 1 });
    expect(reads()).toBe(4);
  });

  test('also if it was created', async () => {
    const created = numbers.at('created and flipped');
    await createDocument(bucket, created, { n: 1 });
    flip(created.key, digit, 1);
    expect(await readDocument(flaky, created)).toEqual({ n: 1 });
  });

  test.each(['STORAGE_CORRUPT', 'GENERATION_UNREADABLE'] as const)(
    'and if it flips each time, reading throws %s',
    async (damaged) => {
      const reads = flip(flipped.key, digit, Infinity);
      await expect(
        readDocument(flaky, defineDocument({ ...kind, damaged }).at('flipped')),
      ).rejects.toMatchObject({
        code: damaged,
        subject: { key: flipped.key },
        detail: 'The SHA-256 of its bytes differs from the recorded one.',
      });
      expect(reads()).toBe(4);
      expect(await readIntact(flaky, flipped)).toBeUndefined();
    },
  );

  test('a document without one is read as it is', async () => {
    await store('by hand', '{"n":1}');
    flip(kind.key('by hand'), digit, Infinity);
    expect(await readDocument(flaky, numbers.at('by hand'))).toEqual({ n: 0 });
  });
});

describe.each(['{"n":"secret"}', 'secret', ''])('%j is damaged', (text) => {
  beforeEach(() => store('damaged', text));

  test.each(['STORAGE_CORRUPT', 'GENERATION_UNREADABLE'] as const)('and throws %s', async (damaged) => {
    const reading = readDocument(bucket, defineDocument({ ...kind, damaged }).at('damaged'));
    await expect(reading).rejects.toMatchObject({
      code: damaged,
      retryable: false,
      subject: { key: 'numbers/damaged.json' },
      message: expect.not.stringContaining('secret'),
    });
  });

  test('and counts as absent if its kind or the reader allows it', async () => {
    const absent = defineDocument({ ...kind, damaged: 'absent' });
    expect(await readDocument(bucket, absent.at('damaged'))).toBeUndefined();
    expect(await readIntact(bucket, numbers.at('damaged'))).toBeUndefined();
  });
});
