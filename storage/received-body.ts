import type { Readable } from 'node:stream';
import { closingBody } from './body';
import { storageError } from './store-failure';

export interface ReceivedBodyOptions {
  readonly key: string;
  /** Number of bytes that the store announced for this response. */
  readonly length: number;
  /** Converts an error of the stream to a FederationError. */
  readonly failure: (error: unknown) => unknown;
  /**
   * The checksum to verify. Undefined if the store sends none, or if the response contains only a range of the object.
   */
  readonly checksum?: ReceivedChecksum | undefined;
}

/**
 * Computes the checksum of the received bytes, and compares it with the checksum that the store sent for the object.
 */
export interface ReceivedChecksum {
  /** Name of the algorithm, such as `MD5`. */
  readonly name: string;
  add(bytes: Uint8Array): void;
  /** Returns true if the two checksums are equal. Called once, after all bytes have been received. */
  matches(): boolean;
}

/**
 * Returns the body of a response. Reading it throws STORAGE_UNAVAILABLE if the body ends too early, even if the
 * connection was closed cleanly. Reading it throws STORAGE_CORRUPT if the body is too long or has a wrong checksum.
 */
export function receivedBody(stream: Readable, options: ReceivedBodyOptions): AsyncIterable<Uint8Array> {
  const { key, length, failure, checksum } = options;
  // The stream may fail while nobody reads it. Without an error listener, that would end the process.
  stream.on('error', () => undefined);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let missing = length;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        missing -= chunk.length;
        if (missing < 0)
          throw storageError('STORAGE_CORRUPT', key, 'The store sent more bytes than it announced.');
        checksum?.add(chunk);
        yield chunk;
      }
    } catch (error) {
      throw failure(error);
    }
    if (missing > 0)
      throw storageError('STORAGE_UNAVAILABLE', key, `The body broke off ${missing} bytes before its end.`);
    if (checksum?.matches() === false)
      throw storageError(
        'STORAGE_CORRUPT',
        key,
        `The ${checksum.name} of the bytes differs from that of the object.`,
      );
  }
  return closingBody(chunks(), () => {
    stream.destroy();
    return Promise.resolve();
  });
}
