import { randomBytes } from 'node:crypto';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { isFederationError } from '../../errors/federation-error';
import { discard } from '../../storage/body';
import type { Bucket, ListEntry, ListOptions } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';

export interface ContractOptions {
  /** Opens an empty bucket that no other test uses. */
  readonly open: () => Promise<Bucket>;
  /** Opens a bucket by a name that does not exist in the store. */
  readonly openMissing: () => Promise<Bucket>;
  /**
   * Size of a large object, in bytes. If the store uploads large objects in parts, an object of this size needs several
   * parts.
   */
  readonly largeSize: number;
  /** Number of objects in a listing that is too large for a single page. */
  readonly manyObjects: number;
  /**
   * Number of bytes that the bucket's prefix adds to each key, including the slash. The maximum length of a key is
   * shorter by this number.
   */
  readonly prefixBytes?: number;
  /**
   * True if a key can be created again after its object was deleted. (Default: true) Amazon S3 allows this in versioned
   * buckets, but versitygw does not.
   */
  readonly createsAgain?: boolean;
}

/** Defines the tests that every implementation of `Bucket` must pass. */
export function describeBucketContract(name: string, options: ContractOptions): void {
  let bucket: Bucket;
  const put = (key: string, text: string) => bucket.put(key, Buffer.from(text));
  const text = async (key: string) => (await readAll(bucket, key)).bytes.toString();
  const names = async (prefix: string, list: ListOptions = {}) =>
    (await entries(bucket, prefix, list)).map(nameOf);

  describe(name, () => {
    beforeEach(async () => {
      bucket = await options.open();
    });
    afterEach(() => bucket.close());

    describe('one object', () => {
      test.each([0, 1, 5 * 1024 * 1024 + 1])('of %d bytes is read back as it was written', async (size) => {
        const bytes = randomBytes(size);
        const begun = Date.now();
        const info = await bucket.put('a/b', bytes);
        expect(info).toMatchObject({ key: 'a/b', size });
        const read = await readAll(bucket, 'a/b');
        expect(read.bytes.equals(bytes)).toBe(true);
        expect(read.head).toMatchObject({ key: 'a/b', size, version: info.version });
        expect(await bucket.head('a/b')).toMatchObject({ key: 'a/b', size, version: info.version });
        // Allow for a difference of up to a minute between the server's clock and this machine's clock.
        expect(read.head.modified.getTime()).toBeGreaterThan(begun - 60_000);
        expect(read.head.modified.getTime()).toBeLessThan(Date.now() + 60_000);
        expect(Math.abs(read.head.modified.getTime() - info.modified.getTime())).toBeLessThan(3_000);
      });

      test('is replaced by a second put, with a new version', async () => {
        const first = await put('k', 'one');
        const second = await put('k', 'two!');
        expect(second.version).not.toBe(first.version);
        expect(await text('k')).toBe('two!');
        await put('k', 'two!');
        expect(await text('k')).toBe('two!');
      });

      test('can be written from a stream of unknown length', async () => {
        const bytes = randomBytes(options.largeSize);
        const info = await bucket.put('large', slices(bytes, 300_001), { metadata: { sha256: 'abc' } });
        expect(info.size).toBe(bytes.length);
        expect((await readAll(bucket, 'large')).bytes.equals(bytes)).toBe(true);
        expect(await bucket.head('large')).toMatchObject({
          version: info.version,
          metadata: { sha256: 'abc' },
        });
        await bucket.put('empty', slices(Buffer.alloc(0), 1));
        expect(await text('empty')).toBe('');
      });

      test.each([10, 9_000_000])(
        'does not exist if its body throws after %d bytes, and the error is the body’s',
        async (size) => {
          const cause = Object.assign(new Error('the reader broke'), { code: 'ENOENT' });
          async function* body() {
            yield* slices(Buffer.alloc(size), 1_000_000);
            await Promise.resolve();
            throw cause;
          }
          await put('old', 'old');
          for (const key of ['new', 'old']) await expect(bucket.put(key, body())).rejects.toBe(cause);
          await expect(bucket.create('new', body())).rejects.toBe(cause);
          expect(await bucket.head('new')).toBeUndefined();
          expect(await text('old')).toBe('old');
          expect(await names('')).toEqual(['old']);
        },
      );

      test('keeps its metadata, until replaced with other metadata', async () => {
        await bucket.put('k', Buffer.from('x'), { metadata: { sha256: 'abc', 'writer-id': 'c1 = "x"' } });
        const metadata = { sha256: 'abc', 'writer-id': 'c1 = "x"' };
        expect((await bucket.head('k'))?.metadata).toEqual(metadata);
        expect((await readAll(bucket, 'k')).head.metadata).toEqual(metadata);
        await put('k', 'y');
        expect((await bucket.head('k'))?.metadata).toEqual({});
        expect((await readAll(bucket, 'k')).head.metadata).toEqual({});
        await expect(bucket.put('k', Buffer.from('x'), { metadata: { a: 'é' } })).rejects.toMatchObject({
          retryable: false,
        });
      });

      test('that is missing is absent to head, and an error to get', async () => {
        expect(await bucket.head('none/there')).toBeUndefined();
        await expect(bucket.get('none/there')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
        await bucket.delete('none/there');
        await put('x', '1');
        await bucket.delete('x');
        expect(await bucket.head('x')).toBeUndefined();
        expect(await names('')).toEqual([]);
      });

      test('of gzip bytes is read back as gzip bytes', async () => {
        const bytes = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), randomBytes(100)]);
        await bucket.put('w.gz', bytes);
        expect((await readAll(bucket, 'w.gz')).bytes.equals(bytes)).toBe(true);
      });

      test('an aborted call throws the reason', async () => {
        const gone = new Error('enough');
        const signal = AbortSignal.abort(gone);
        await expect(bucket.put('k', Buffer.from('x'), { signal })).rejects.toBe(gone);
        await expect(bucket.head('k', { signal })).rejects.toBe(gone);
        await expect(entries(bucket, '', { signal })).rejects.toBe(gone);
        const controller = new AbortController();
        async function* hangs() {
          yield Buffer.from('x');
          await new Promise(() => undefined);
        }
        const hanging = bucket.put('k', hangs(), { signal: controller.signal });
        setTimeout(() => controller.abort(gone), 50);
        await expect(hanging).rejects.toBe(gone);
        expect(await names('')).toEqual([]);
      });

      test('an unread body is released', async () => {
        await put('k', 'x'.repeat(100_000));
        for (let i = 0; i < 100; i += 1) await discard((await bucket.get('k')).body);
        expect((await text('k')).length).toBe(100_000);
      });
    });

    describe('a missing bucket', () => {
      test('is reported as missing', async () => {
        const missing = await options.openMissing();
        const code = 'STORAGE_BUCKET_NOT_FOUND';
        await expect(missing.put('k', Buffer.from('x'))).rejects.toMatchObject({ code });
        await expect(missing.create('k', Buffer.from('x'))).rejects.toMatchObject({ code });
        await expect(missing.get('k')).rejects.toMatchObject({ code });
        await expect(entries(missing, '')).rejects.toMatchObject({ code });
        await missing.close();
      });
    });

    describe('ranges', () => {
      const range = async (offset: number, length?: number) => {
        const { head, body } = await bucket.get('k', { range: { offset, length } });
        expect(head.size).toBe(10);
        return (await collect(body)).toString();
      };
      beforeEach(() => put('k', '0123456789'));

      test('in the middle, open, or truncated at the end', async () => {
        expect(await range(2, 3)).toBe('234');
        expect(await range(0, 1)).toBe('0');
        expect(await range(7)).toBe('789');
        expect(await range(8, 100)).toBe('89');
      });

      test('without any bytes are refused', async () => {
        const code = 'STORAGE_INVALID_RANGE';
        await expect(range(10)).rejects.toMatchObject({ code });
        await expect(range(11, 5)).rejects.toMatchObject({ code });
        await expect(range(2, 0)).rejects.toMatchObject({ code });
        await expect(range(-1)).rejects.toMatchObject({ code });
        await put('empty', '');
        await expect(bucket.get('empty', { range: { offset: 0 } })).rejects.toMatchObject({ code });
      });

      test('can be pinned to a version', async () => {
        const { version } = await put('k', 'abcdefghij');
        expect((await readAll(bucket, 'k', { version })).bytes.toString()).toBe('abcdefghij');
        await put('k', 'ABCDEFGHIJ');
        await expect(bucket.get('k', { version })).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
        await expect(bucket.get('k', { version, range: { offset: 2 } })).rejects.toMatchObject({
          code: 'STORAGE_CONFLICT',
        });
        await bucket.delete('k');
        await expect(bucket.get('k', { version })).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
      });
    });

    describe('listings', () => {
      test('are empty if there are no objects', async () => {
        expect(await names('')).toEqual([]);
        await put('c10/x', '1');
        expect(await names('c1/')).toEqual([]);
        expect(await names('c')).toEqual(['c10/x']);
        expect(await names('c10/x/')).toEqual([]);
        expect(await names('no/such/')).toEqual([]);
      });

      test('are in byte order of the whole key', async () => {
        const keys = ['a-b', 'a.b', 'a/b', 'a/b.c/d', 'a0', 'ab/c', 'z', 'é', '\uffee', '😀'];
        await mapConcurrently([...keys].reverse(), 4, (key) => put(key, key));
        expect(await names('')).toEqual(keys);
        expect(await names('a')).toEqual(['a-b', 'a.b', 'a/b', 'a/b.c/d', 'a0', 'ab/c']);
        expect(await names('a/b')).toEqual(['a/b', 'a/b.c/d']);
        expect(await names('', { delimiter: '/' })).toEqual([
          'a-b',
          'a.b',
          'a/',
          'a0',
          'ab/',
          'z',
          'é',
          '\uffee',
          '😀',
        ]);
        expect(await names('a', { delimiter: '/' })).toEqual(['a-b', 'a.b', 'a/', 'a0', 'ab/']);
        expect(await names('a/', { delimiter: '/' })).toEqual(['a/b', 'a/b.c/']);
      });

      test('have the same details of each object as a head', async () => {
        await put('k', 'x');
        const [entry] = await entries(bucket, '');
        const { metadata: _, ...head } = (await bucket.head('k')) ?? { metadata: {} };
        const modified = expect.any(Date) as Date;
        expect(entry).toEqual({ kind: 'object', ...head, modified });
      });

      test('start after a name', async () => {
        for (const key of ['a', 'b/1', 'b/2', 'b/3', 'c', 'd/1']) await put(key, '');
        expect(await names('', { after: 'b/2' })).toEqual(['b/3', 'c', 'd/1']);
        expect(await names('', { after: 'b/20' })).toEqual(['b/3', 'c', 'd/1']);
        expect(await names('b/', { after: 'a' })).toEqual(['b/1', 'b/2', 'b/3']);
        expect(await names('b/', { after: 'c' })).toEqual([]);
        expect(await names('', { after: 'a', delimiter: '/' })).toEqual(['b/', 'c', 'd/']);
        expect(await names('', { after: 'b/', delimiter: '/' })).toEqual(['c', 'd/']);
        expect(await names('', { after: 'b/2', delimiter: '/' })).toEqual(['c', 'd/']);
      });

      test('are complete over many pages, while others write', async () => {
        const keys = Array.from(
          { length: options.manyObjects },
          (_, i) => `many/${i % 3}/${String(i).padStart(5, '0')}`,
        ).sort();
        await mapConcurrently(keys, 16, (key) => put(key, ''));
        let pages = 0;
        expect(await names('many/', { onPage: () => (pages += 1) })).toEqual(keys);
        expect(pages).toBe(bucket.type === 'FILESYSTEM' ? 1 : Math.ceil(keys.length / 1_000));
        const half = Math.floor(keys.length / 2);
        expect(await names('many/', { after: keys[half] })).toEqual(keys.slice(half + 1));
        expect(await names('many/', { delimiter: '/' })).toEqual(['many/0/', 'many/1/', 'many/2/']);
        const seen: string[] = [];
        for await (const entry of bucket.list('many/')) {
          seen.push(nameOf(entry));
          if (seen.length % 300 === 0) {
            await put(`many/1/new-${seen.length}`, '');
            await bucket.delete(keys.at(-seen.length / 300) ?? '');
          }
        }
        expect(seen).toEqual([...new Set(seen)].sort());
        expect(keys.slice(0, -10).filter((key) => !seen.includes(key))).toEqual([]);
        for await (const _ of bucket.list('many/')) break;
      });
    });

    describe('keys', () => {
      const odd = [
        'a b',
        'a+b',
        'a%20b',
        'a%2Fb',
        'a#b',
        'a?b',
        'a&b=c',
        `it's "q"`,
        '😀',
        'é',
        'e\u0301',
        'a:b',
        '~',
        '*',
        'a;b',
        'a,b@c',
        '<x>',
        '..a',
        'a..b',
        'a ',
        ' a',
        '%',
        '%00',
        '%2e%2e/b',
        '.%2e/b',
        '%2E%2E%2Fb',
        '%252e%252e/b',
        '=cmd()',
        '__proto__',
        'constructor',
        'case',
        'CASE',
        'a\u202eb',
        'a\u200bb',
        'a\u2028b',
        'a\ufffdb',
      ];
      const illegal = [
        '',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        'a/../b',
        './a',
        'a/..',
        'a/.',
        'a.',
        '...',
        'a./b',
        'a/.../b',
        'a\0b',
        'a\\b',
        'a\nb',
        'a\rb',
        'a\u007f',
        'a\u0085',
        'a\u009b31m',
        '\ud800',
        'a\udc00b',
        'a\ue000',
        '\u{10fffd}',
        'a\uffff',
        '\ufdd0',
        'a/.tmp-x',
        '.meta-x',
        'x'.repeat(241),
        'é'.repeat(121),
      ];

      test('with odd characters are valid', async () => {
        await mapConcurrently(odd, 8, (key) => put(`odd/${key}`, key));
        await mapConcurrently(odd, 8, (key) => bucket.copy(`odd/${key}`, `copy/${key}`));
        for (const key of odd) expect(await text(`copy/${key}`)).toBe(key);
        const sorted = [...odd].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await names('odd/')).toEqual(sorted.map((key) => `odd/${key}`));
        await mapConcurrently(odd, 8, (key) => bucket.delete(`odd/${key}`));
        expect(await names('')).toEqual(sorted.map((key) => `copy/${key}`));
      });

      test('that differ only in their normal form are different keys', async () => {
        await put('é', 'composed');
        await put('e\u0301', 'decomposed');
        expect([await text('é'), await text('e\u0301')]).toEqual(['composed', 'decomposed']);
      });

      test('that are not valid in every store are refused', async () => {
        const code = 'STORAGE_INVALID_KEY';
        for (const key of illegal) {
          await expect(put(key, 'x')).rejects.toMatchObject({ code });
          await expect(bucket.create(key, Buffer.from('x'))).rejects.toMatchObject({ code });
          await expect(bucket.head(key)).rejects.toMatchObject({ code });
          await expect(bucket.get(key)).rejects.toMatchObject({ code });
          await expect(bucket.copy(key, 'b')).rejects.toMatchObject({ code });
          await expect(bucket.copy('b', key)).rejects.toMatchObject({ code });
          await expect(bucket.delete(key)).rejects.toMatchObject({ code });
        }
        for (const prefix of ['a/../', 'a./', '%\0', 'a\u009b'])
          await expect(names(prefix)).rejects.toMatchObject({ code });
        expect(await names('')).toEqual([]);
      });

      test('may have the documented maximum length', async () => {
        const { prefixBytes = 0 } = options;
        const last = 'd'.repeat(177 - prefixBytes);
        // In a URL, each of these bytes but those of the first key takes three.
        const keys = ['a', '%', 'é', '😀'].map((letter) => {
          const name = letter.repeat(240 / Buffer.byteLength(letter));
          return `${name}/${name}/${name}/${last}`;
        });
        for (const key of keys) {
          expect(Buffer.byteLength(key)).toBe(900 - prefixBytes);
          await bucket.put(key, Buffer.from(key), { metadata: { a: 'b' } });
          expect((await bucket.head(key))?.metadata).toEqual({ a: 'b' });
          expect(await text(key)).toBe(key);
          await expect(put(`${key}e`, 'x')).rejects.toMatchObject({ code: 'STORAGE_INVALID_KEY' });
        }
        expect(await names('')).toEqual(keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      });
    });

    describe('create', () => {
      test('creates, and refuses an existing object', async () => {
        const info = await bucket.create('g/1', Buffer.from('first'), { metadata: { run: 'r1' } });
        expect(await bucket.head('g/1')).toMatchObject({
          version: info.version,
          size: 5,
          metadata: { run: 'r1' },
        });
        await expect(bucket.create('g/1', Buffer.from('second'))).rejects.toMatchObject({
          code: 'STORAGE_PRECONDITION_FAILED',
        });
        const large = slices(randomBytes(options.largeSize), 1_000_000);
        await expect(bucket.create('g/1', large)).rejects.toMatchObject({
          code: 'STORAGE_PRECONDITION_FAILED',
        });
        expect(await text('g/1')).toBe('first');
        expect((await bucket.head('g/1'))?.metadata).toEqual({ run: 'r1' });
        expect(await names('')).toEqual(['g/1']);
        await bucket.delete('g/1');
        const next = options.createsAgain === false ? 'g/2' : 'g/1';
        await bucket.create(next, slices(Buffer.from('streamed'), 3));
        expect(await text(next)).toBe('streamed');
      });

      test('has one winner among 40 concurrent ones', async () => {
        const racers = Array.from({ length: 40 }, (_, i) => `racer ${i}`);
        const results = await Promise.allSettled(
          racers.map((racer) => bucket.create('race', Buffer.from(racer), { metadata: { racer } })),
        );
        const winners = racers.filter((_, i) => results[i]?.status === 'fulfilled');
        const losers = results.filter((result) => result.status === 'rejected');
        expect(winners).toHaveLength(1);
        expect(losers.every(({ reason }) => isFederationError(reason, 'STORAGE_PRECONDITION_FAILED'))).toBe(
          true,
        );
        expect(await text('race')).toBe(winners[0]);
        expect((await bucket.head('race'))?.metadata).toEqual({ racer: winners[0] });
      });
    });

    test('racing puts end with one of them, including its metadata', async () => {
      for (let round = 0; round < 5; round += 1) {
        const racers = Array.from({ length: 8 }, (_, i) => `${round}-${i}`);
        await Promise.all(
          racers.map((racer) => bucket.put('race', Buffer.from(racer), { metadata: { racer } })),
        );
        expect((await bucket.head('race'))?.metadata).toEqual({ racer: await text('race') });
      }
    });

    describe('copy', () => {
      test('keeps bytes and metadata, and replaces', async () => {
        await bucket.put('from', Buffer.from('bytes'), { metadata: { sha256: 'abc' } });
        await bucket.put('to/here', Buffer.from('old'), { metadata: { old: 'x' } });
        const info = await bucket.copy('from', 'to/here');
        expect(info).toMatchObject({ key: 'to/here', size: 5 });
        expect(await bucket.head('to/here')).toMatchObject({
          version: info.version,
          metadata: { sha256: 'abc' },
        });
        expect((await bucket.head('to/here'))?.metadata).toEqual({ sha256: 'abc' });
        expect(await text('to/here')).toBe('bytes');
        await put('from', 'changed');
        expect(await text('to/here')).toBe('bytes');
      });

      test('of a missing object throws, onto itself changes nothing', async () => {
        await expect(bucket.copy('none', 'x')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
        await put('k', 'x');
        expect(await bucket.copy('k', 'k')).toMatchObject({ key: 'k', size: 1 });
        expect(await names('')).toEqual(['k']);
      });
    });
  });
}

async function entries(bucket: Bucket, prefix: string, options: ListOptions = {}): Promise<ListEntry[]> {
  const all: ListEntry[] = [];
  for await (const entry of bucket.list(prefix, options)) all.push(entry);
  return all;
}

function nameOf(entry: ListEntry): string {
  return entry.kind === 'prefix' ? entry.prefix : entry.key;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Yields the bytes in slices. Like a network stream, the result can be read only once. */
async function* slices(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}
