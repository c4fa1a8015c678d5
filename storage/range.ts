import { FederationError } from '../errors/federation-error';
import type { GetOptions } from './bucket';
import { storageError } from './store-failure';

type Range = GetOptions['range'];

/** Throws STORAGE_INVALID_RANGE for a range that no object could satisfy: a negative offset, or no bytes at all. */
export function checkRange(key: string, range: Range): void {
  if (range === undefined) return;
  const { offset, length = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length > 0) return;
  throw new FederationError('STORAGE_INVALID_RANGE', {
    subject: { key },
    detail: `A range of ${range.length} bytes at offset ${offset} was asked for.`,
  });
}

/** The bytes `[start, end)` that a range means in an object of this size. Throws STORAGE_INVALID_RANGE behind its end. */
export function resolveRange(key: string, range: Range, size: number): { start: number; end: number } {
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

/** A range as HTTP asks for it. */
export function rangeHeader(range: Range): string | undefined {
  if (range === undefined) return undefined;
  const end = range.length === undefined ? '' : range.offset + range.length - 1;
  return `bytes=${range.offset}-${end}`;
}

/**
 * The size of the whole object, by an answer with its bytes or with a range of them. STORAGE_INVALID_RANGE when the range
 * lies behind it, STORAGE_CORRUPT when what is announced are not the bytes that were asked for: fewer of them would look
 * complete.
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
  // From the first byte to the last is no range to every SDK and store.
  const isWhole = range === undefined || (range.offset === 0 && range.length === undefined);
  if (part === null && !isWhole) {
    const detail = 'A range was asked for, and the store did not answer with one.';
    throw storageError('STORAGE_CORRUPT', key, detail);
  }
  const [, first = 0, total = contentLength] = part ?? [];
  const { start, end } = resolveRange(key, range, Number(total));
  if (Number(first) !== start || contentLength !== end - start)
    throw storageError('STORAGE_CORRUPT', key, 'Other bytes came than the range that was asked for.');
  return Number(total);
}
