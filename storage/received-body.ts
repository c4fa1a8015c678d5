import type { Readable } from 'node:stream';
import { closingBody } from './body';
import { storageError } from './store-failure';

export interface ReceivedBodyOptions {
  readonly key: string;
  /** Bytes that the store announced for this answer. */
  readonly length: number;
  /** Names in our terms what the stream throws. */
  readonly failure: (error: unknown) => unknown;
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
