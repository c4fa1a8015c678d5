import type { Readable } from 'node:stream';
import { closingBody } from './body';
import type { GetOptions } from './bucket';
import { resolveRange } from './check-options';
import { storageError } from './store-failure';

export interface ReceivedBodyOptions {
  readonly key: string;
  /** Bytes that the store announced for this answer. */
  readonly length: number;
  /** Names in our terms what the stream throws. */
  readonly failure: (error: unknown) => unknown;
}

/**
 * The size of the whole object, by an answer with a range of it. STORAGE_INVALID_RANGE when the range lies behind it,
 * STORAGE_CORRUPT when what is announced are not the bytes that were asked for: fewer of them would look complete.
 */
export function sizeByRange(
  key: string,
  { contentRange = '', contentLength }: { readonly contentRange?: string; readonly contentLength?: number },
  range: GetOptions['range'],
): number {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange) ?? [];
  if (total === undefined) {
    const detail = 'A range was asked for, and the store did not answer with one.';
    throw storageError('STORAGE_CORRUPT', key, detail);
  }
  const { start, end } = resolveRange(key, range, Number(total));
  if (Number(first) !== start || contentLength !== end - start)
    throw storageError('STORAGE_CORRUPT', key, 'Other bytes came than the range that was asked for.');
  return Number(total);
}

/**
 * The body of an answer. One that ends early is STORAGE_UNAVAILABLE, also when its connection was closed in good order;
 * one that goes on too long is STORAGE_CORRUPT.
 */
export function receivedBody(stream: Readable, options: ReceivedBodyOptions): AsyncIterable<Uint8Array> {
  const { key, length, failure } = options;
  // It may fail before anybody reads it, and after nobody does any more.
  stream.on('error', () => undefined);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let missing = length;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        missing -= chunk.length;
        if (missing < 0)
          throw storageError('STORAGE_CORRUPT', key, 'More bytes came than the store announced.');
        yield chunk;
      }
    } catch (error) {
      throw failure(error);
    }
    if (missing > 0)
      throw storageError('STORAGE_UNAVAILABLE', key, `The body broke off ${missing} bytes before its end.`);
  }
  return closingBody(chunks(), () => {
    stream.destroy();
    return Promise.resolve();
  });
}
