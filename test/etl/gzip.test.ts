import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { gunzip, unpack, unpackedSize } from '../../etl/gzip';
import { propertyRuns } from './run-counts';

const mebibyte = 2 ** 20;
const text = Buffer.from(Array.from({ length: 40_000 }, (_, index) => `line ${index}\n`).join(''));
const members = Buffer.concat([gzipSync(text), gzipSync(text), gzipSync(text)]);
/** A file that claims to unpack to four bytes. */
const lying = Buffer.from(gzipSync(text));
lying.writeUInt32LE(4, lying.length - 4);

/** Gzipped bytes, the limit, and the size that they unpack to or the code with which they are refused. */
const cases: [string, Buffer, number, number | ErrorCode][] = [
  ['at the limit', gzipSync(text), text.length, text.length],
  ['above the limit', gzipSync(text), text.length - 1, 'ETL_TOO_LARGE'],
  ['of several members, at the limit', members, 3 * text.length, 3 * text.length],
  ['of several members, each below the limit', members, 2 * text.length, 'ETL_TOO_LARGE'],
  ['a bomb of ratio 1000', gzipSync(Buffer.alloc(32 * mebibyte)), 2 ** 30, 'ETL_TOO_LARGE'],
  ['a bomb below the limit of ratios', gzipSync(Buffer.alloc(mebibyte)), 2 ** 30, mebibyte],
  ['a bomb above a small limit', gzipSync(Buffer.alloc(mebibyte)), 1_000, 'ETL_TOO_LARGE'],
  ['truncated', gzipSync(text).subarray(0, -20), 2 ** 30, 'ETL_TRUNCATED'],
  ['truncated, above the limit', gzipSync(text).subarray(0, -20), 1_000, 'ETL_TOO_LARGE'],
  ['followed by zeros', Buffer.concat([gzipSync(text), Buffer.alloc(100)]), 2 ** 30, text.length],
  ['with a false size', lying, 2 ** 30, 'ETL_CORRUPT'],
  ['with a false size, above the limit', lying, 1_000, 'ETL_TOO_LARGE'],
  ['of nothing', gzipSync(Buffer.alloc(0)), 2 ** 30, 0],
];

describe.each(cases)('a gzip stream %s', (_, packed, most, expected) => {
  test('is unpacked at once and piece by piece with the same result', async () => {
    const atOnce = await outcome(() => gunzip(packed, most));
    expect(atOnce instanceof Buffer ? atOnce.length : atOnce).toBe(expected);
    const size = await unpackedSize(packed, most);
    expect(size).toBe(typeof expected === 'number' ? expected : 0);
    expect(await outcome(() => unpack(packed, { offset: 0, length: size }, most))).toEqual(atOnce);
  });
});

test('any range is unpacked as it is in the whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), fc.nat(text.length), async (a, b) => {
      const range = { offset: Math.min(a, b), length: Math.abs(a - b) };
      const part = await unpack(gzipSync(text, { level: 1 }), range);
      expect(part.equals(text.subarray(range.offset, range.offset + range.length))).toBe(true);
    }),
    propertyRuns(20, 500),
  );
});

test('a range beyond the end is refused', async () => {
  const range = { offset: text.length - 1, length: 2 };
  expect(await outcome(() => unpack(gzipSync(text), range))).toBe('ETL_TRUNCATED');
});

/** Returns the unpacked bytes, or the code of the error. */
async function outcome(work: () => Buffer | Promise<Buffer>): Promise<Buffer | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FederationError) return error.code;
    throw error;
  }
}

test('a small damaged file allocates little, whatever size it claims', () => {
  const packed = gzipSync(Buffer.alloc(20_000, 'abc'));
  packed.writeUInt32LE(0xffff_ffff, packed.length - 4);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => gunzip(packed)).toThrow();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});
