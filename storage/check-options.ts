import { FederationError } from '../errors/federation-error';
import type { GetOptions, PutOptions } from './bucket';

/** Throws STORAGE_INVALID_RANGE for a range that no object could satisfy: a negative offset, or no bytes at all. */
export function checkRange(key: string, range: GetOptions['range']): void {
  if (range === undefined) return;
  const { offset, length = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length > 0) return;
  throw new FederationError('STORAGE_INVALID_RANGE', {
    subject: { key },
    detail: `A range of ${range.length} bytes at offset ${offset} was asked for.`,
  });
}

/** The bytes `[start, end)` that a range means in an object of this size. Throws STORAGE_INVALID_RANGE behind its end. */
export function resolveRange(
  key: string,
  range: GetOptions['range'],
  size: number,
): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  if (range.offset >= size) {
    throw new FederationError('STORAGE_INVALID_RANGE', {
      subject: { key },
      detail: `The object has ${size} bytes; offset ${range.offset} lies behind them.`,
    });
  }
  const end = range.length === undefined ? size : Math.min(size, range.offset + range.length);
  return { start: range.offset, end };
}

/** Metadata travels in HTTP headers: names in lower case that begin with a letter, printable ASCII values, 2 KiB in all. Anything else is our fault. */
export function checkMetadata(key: string, metadata: PutOptions['metadata']): void {
  const entries = Object.entries(metadata ?? {});
  const bad = entries.find(
    ([name, value]) => !/^[a-z][a-z0-9-]*$/.test(name) || !/^[\x20-\x7e]*$/.test(value),
  );
  const size = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bad === undefined && size <= 2048) return;
  throw new FederationError('INTERNAL', {
    subject: { key },
    detail: bad
      ? `Metadata ${JSON.stringify(bad[0])} cannot be a header.`
      : `Metadata has ${size} bytes, more than 2048.`,
    retryable: false,
  });
}
