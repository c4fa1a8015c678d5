import { isDeepStrictEqual } from 'node:util';
import { decodeSet, encodeSet } from '../../etl/file';
import type { Instant } from '../../etl/instant';
import { recordsOf } from '../../etl/model';
import type { Pipeline } from '../../etl/window';
import { shiftSet } from '../../scripts/demo/shift-set';
import { goldenBytes, goldenFiles } from '../etl/golden-files';

const day = 86_400;
/** Go's zero time in Unix seconds. It means that a time is not set, so it must not be shifted. */
const zero = -62135596800;

/** Decodes a file, shifts all times in it, and encodes it again. */
function shifted(pipeline: Pipeline, bytes: Uint8Array, seconds: number): Buffer {
  return encodeSet(shiftSet(decodeSet(pipeline, bytes), seconds));
}

/**
 * Copies a value and changes all times in it, at any depth. Recognizes a time by its structure, not by the name of its
 * field, so that it cannot miss one.
 */
function mapInstants(value: unknown, change: (instant: Instant) => Instant): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((part) => mapInstants(part, change));
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [key, mapInstants(part, change)]));
  if ('nanos' in value) return change(value as Instant);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapInstants(part, change)]));
}

describe('a shifted set', () => {
  it.each([0, 12, -400])(
    'by %d days is the same set with each time shifted by them, in every golden file',
    (days) => {
      let moved = 0;
      for (const { path, pipeline } of goldenFiles()) {
        const bytes = goldenBytes(path);
        // Encode the set once by shifting it by 0 seconds. Encoding can raise the set's version, and `before` and
        // `after` must have the same version.
        const before = decodeSet(pipeline, shifted(pipeline, bytes, 0));
        const expected = mapInstants(before, (instant) => {
          if (instant.seconds === zero && instant.nanos === 0) return instant;
          moved += 1;
          return { ...instant, seconds: instant.seconds + days * day };
        });
        const after = decodeSet(pipeline, shifted(pipeline, bytes, days * day));
        if (!isDeepStrictEqual(after, expected))
          expect({ path, set: after }).toEqual({ path, set: expected });
      }
      expect(moved).toBeGreaterThan(10_000);
    },
  );

  it('by no days has the bytes of the file, in every file of the example', () => {
    const files = goldenFiles().filter(({ path }) => path.startsWith('bucket/'));
    expect(files).toHaveLength(70);
    const different = files.filter(({ path, pipeline }) => {
      const bytes = goldenBytes(path);
      return !shifted(pipeline, bytes, 0).equals(bytes);
    });
    expect(different).toEqual([]);
  });

  it('can be shifted back, time zones included', () => {
    const bytes = goldenBytes('edge/valid/times.allocations');
    const there = shifted('allocations', bytes, 12 * day);
    expect(there.equals(bytes)).toBe(false);
    expect(shifted('allocations', there, -12 * day).equals(bytes)).toBe(true);
  });

  it('keeps a zero time', () => {
    const bytes = goldenBytes('bucket/federated/cluster-1/etl/bingen/allocations/1d/1794614400-1794700800');
    const set = decodeSet('allocations', bytes);
    const none = { seconds: zero, nanos: 0, zoneMinutes: -1, zoneSeconds: null };
    const [key = '', record] = [...(set.allocations ?? [])][0] ?? [];
    if (record === null || record === undefined) throw new Error('the first record does not exist');
    const timeless = { ...set, allocations: new Map([[key, { ...record, start: none, end: none }]]) };
    expect(recordsOf(shiftSet(timeless, day))?.get(key)).toMatchObject({ start: none, end: none });
  });
});
