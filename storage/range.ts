import { FederationError } from '../errors/federation-error';
import type { GetOptions } from './bucket';
import { storageError } from './store-failure';

type Range = GetOptions['range'];

/**
 * Throws STORAGE_INVALID_RANGE for a range that no object can satisfy: one with a negative offset, or with a length
 * below 1.
 */
export function checkRange(key: string, range: Range): void {
  if (range === undefined) return;
  const { offset, length = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length > 0) return;
  throw new FederationError('STORAGE_INVALID_RANGE', {
    subject: { key },
    detail: `The range of ${range.length} bytes at offset ${offset} is invalid.`,
  });
}

/**
 * Converts a range to positions `[start, end)` in an object of this size. Throws STORAGE_INVALID_RANGE if the range
 * starts beyond the object's end.
 */
export function resolveRange(key: string, range: Range, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  if (range.offset >= size) {
    throw new FederationError('STORAGE_INVALID_RANGE', {
      subject: { key },
      detail: `The object has ${size} bytes; offset ${range.offset} is beyond its end.`,
    });
  }
  const end = range.length === undefined ? size : Math.min(size, range.offset + range.length);
  return { start: range.offset, end };
}

/** Returns a range as the value of an HTTP header. */
export function rangeHeader(range: Range): string | undefined {
  if (range === undefined) return undefined;
  const end = range.length === undefined ? '' : range.offset + range.length - 1;
  return `bytes=${range.offset}-${end}`;
}

/**
 * Returns the size of the whole object, from a response that contains all or a range of its bytes. Throws
 * STORAGE_INVALID_RANGE if the range starts beyond the object's end, and STORAGE_CORRUPT if the response does not
 * announce the requested bytes: fewer bytes would look complete.
 */
export function sizeByRange(
  key: string,
  {
    contentRange = '',
    contentLength = 0,
  }: { readonly contentRange?: string | undefined; readonly contentLength?: number | undefined },
  range: Range,
): number {
  const part = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange);
  // Some SDKs do not send a range from the first to the last byte as a range, and some stores do not answer it as one.
  const isWhole = range === undefined || (range.offset === 0 && range.length === undefined);
  if (part === null && !isWhole) {
    const detail = 'The store did not respond with the requested range.';
    throw storageError('STORAGE_CORRUPT', key, detail);
  }
  const [, first = 0, total = contentLength] = part ?? [];
  const { start, end } = resolveRange(key, range, Number(total));
  if (Number(first) !== start || contentLength !== end - start)
    throw storageError('STORAGE_CORRUPT', key, 'The store responded with another range than requested.');
  return Number(total);
}
