import { FederationError } from '../errors/federation-error';
import type { GetOptions } from './bucket';
import { storageError } from './store-failure';

type Range = GetOptions['range'];

/**
 * Throws STORAGE_INVALID_RANGE if a range is invalid for every object: its offset is negative, or its length is below
 * 1.
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
 * Converts a range to byte positions in an object of this size. `start` is inclusive and `end` is exclusive. Throws
 * STORAGE_INVALID_RANGE if the range starts at or past the end of the object.
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

/** Returns the value of the HTTP header `Range` for a range, or undefined for the whole object. */
export function rangeHeader(range: Range): string | undefined {
  if (range === undefined) return undefined;
  const end = range.length === undefined ? '' : range.offset + range.length - 1;
  return `bytes=${range.offset}-${end}`;
}

/**
 * Determines the size of the whole object from the headers of a response whose body may be only a part of the object.
 * Throws STORAGE_INVALID_RANGE if the range starts at or past the end of the object. Throws STORAGE_CORRUPT if the
 * headers do not announce the requested range. Without this check, a response that is too short would look complete.
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
  // If the requested range is the whole object, the response may lack a `Content-Range` header: some SDKs do not send
  // such a range, and some stores ignore it.
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
