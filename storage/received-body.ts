import type { Readable } from 'node:stream';
import { closingBody } from './body';
import { storageError } from './store-failure';

export interface ReceivedBodyOptions {
  readonly key: string;
  /** Bytes that the store announced for this answer. */
  readonly length: number;
  /** Names in our terms what the stream throws. */
  readonly failure: (error: unknown) => unknown;
  /** What the bytes have to add up to, where the store says it and they are the whole object. */
  readonly checksum?: ReceivedChecksum | undefined;
}

/** The checksum of an object, beside what came of its bytes so far. */
export interface ReceivedChecksum {
  /** Such as `MD5`. */
  readonly name: string;
  add(bytes: Uint8Array): void;
  /** Asked once, when all bytes came. */
  matches(): boolean;
}

/**
 * The body of an answer. One that ends early is STORAGE_UNAVAILABLE, also when its connection was closed in good order;
 * one that goes on too long, or has another checksum than the object, is STORAGE_CORRUPT.
 */
export function receivedBody(stream: Readable, options: ReceivedBodyOptions): AsyncIterable<Uint8Array> {
  const { key, length, failure, checksum } = options;
  // It may fail before anybody reads it, and after nobody does any more.
  stream.on('error', () => undefined);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let missing = length;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        missing -= chunk.length;
        if (missing < 0)
          throw storageError('STORAGE_CORRUPT', key, 'More bytes came than the store announced.');
        checksum?.add(chunk);
        yield chunk;
      }
    } catch (error) {
      throw failure(error);
    }
    if (missing > 0)
      throw storageError('STORAGE_UNAVAILABLE', key, `The body broke off ${missing} bytes before its end.`);
    if (checksum?.matches() === false)
      throw storageError('STORAGE_CORRUPT', key, `The bytes do not have the ${checksum.name} of the object.`);
  }
  return closingBody(chunks(), () => {
    stream.destroy();
    return Promise.resolve();
  });
}
