import type { DataConverter } from '@temporalio/common';
import type { EncryptionKey } from '../config/encryption-keys';
import { PayloadEncryption } from '../config/payload-encryption';
import type { FederationError } from '../errors/federation-error';
import { isKeyError, keyErrorText } from '../errors/key-errors';

/** Path of the module that converts failures if payloads are encrypted. */
export const encryptedFailures = require.resolve('../workflows/encrypted-failures');

/**
 * Returns how the clients and workers of a process convert what they store in Temporal: payloads are encrypted if there
 * are keys. If a payload cannot be decrypted, a worker fails its task with the text of the error (see `keyErrorText`).
 *
 * @param keys returns the keys that are valid now. Keys may be replaced while the process runs, but whether there are
 *   any is decided when this function is called.
 * @param failed called with each error of decrypting a payload
 */
export function dataConverter(
  keys: () => readonly EncryptionKey[],
  failed: (error: FederationError) => void,
): DataConverter {
  const encryption = new PayloadEncryption(keys);
  return {
    payloadCodecs: [
      {
        encode: (payloads) => encryption.encode(payloads),
        decode: async (payloads) =>
          encryption.decode(payloads).catch((error: unknown) => {
            if (!isKeyError(error)) throw error;
            failed(error);
            // Without a cause: it would be encrypted, and its reader may lack the key.
            throw new Error(keyErrorText(error));
          }),
      },
    ],
    ...(keys().length > 0 && { failureConverterPath: encryptedFailures }),
  };
}
