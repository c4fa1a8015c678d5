import type { DataConverter } from '@temporalio/common';
import type { EncryptionKey } from '../config/encryption-keys';
import { PayloadEncryption } from '../config/payload-encryption';
import type { FederationError } from '../errors/federation-error';

/** Path of the module that converts failures if payloads are encrypted. */
export const encryptedFailures = require.resolve('../workflows/encrypted-failures');

/**
 * Returns how clients and workers convert what they store in Temporal: payloads are encrypted if there are keys.
 *
 * @param keys returns the keys that are valid now. Keys may be replaced while the process runs, but whether there are
 *   any is decided when this function is called.
 * @param failed called with each error of decrypting a payload
 */
export function dataConverter(
  keys: () => readonly EncryptionKey[],
  failed: (error: FederationError) => void,
): DataConverter {
  return {
    payloadCodecs: [new PayloadEncryption(keys, failed)],
    ...(keys().length > 0 && { failureConverterPath: encryptedFailures }),
  };
}
