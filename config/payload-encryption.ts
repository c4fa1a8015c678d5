import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { keyError } from '../errors/key-errors';
import type { EncryptionKey } from './encryption-keys';

const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
/** Value of the metadata `encoding` of an encrypted payload. */
const encrypted = 'binary/encrypted';
/** Name of the metadata with the key's id. */
const keyIdName = 'encryption-key-id';

/**
 * Encrypts the payloads that this program stores in Temporal: arguments, results, signals, queries, heartbeats, memos
 * and the messages of failures. The data of an encrypted payload is an initialization vector of 12 bytes, the encrypted
 * payload in the format of Temporal's API, and an authentication tag of 16 bytes. The key's id is authenticated, too.
 *
 * Encrypts with the first key, and decrypts with the key that the payload names. Without keys, does not encrypt.
 * Accepts payloads that are not encrypted, for example a signal that a person sends from Temporal's UI.
 *
 * @throws TEMPORAL_KEY_MISSING if there is no key with the id that a payload names, TEMPORAL_KEY_DIFFERS if the key with
 *   this id does not decrypt it
 */
export class PayloadEncryption implements PayloadCodec {
  /** @param keys returns the keys that are valid now; the file with the keys may change while a process runs */
  constructor(private readonly keys: () => readonly EncryptionKey[]) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const [key] = this.keys();
    if (key === undefined) return payloads;
    return payloads.map((payload) => {
      const iv = randomBytes(ivBytes);
      const encryption = createCipheriv(cipher, key.key, iv).setAAD(Buffer.from(key.id));
      const data = Buffer.concat([
        iv,
        encryption.update(payloadFormat().encode(payload).finish()),
        encryption.final(),
        encryption.getAuthTag(),
      ]);
      return { metadata: { encoding: Buffer.from(encrypted), [keyIdName]: Buffer.from(key.id) }, data };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    if (!payloads.some(isEncrypted)) return payloads;
    return payloads.map((payload) =>
      isEncrypted(payload) ? payloadFormat().decode(decrypt(payload, this.keys())) : payload,
    );
  }
}

/**
 * Loads Temporal's protobuf definitions only when a payload is encrypted or decrypted, because loading them slows down
 * the start of each verb.
 */
function payloadFormat() {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import statement would load it at once
  const { temporal } = require('@temporalio/proto') as typeof import('@temporalio/proto');
  return temporal.api.common.v1.Payload;
}

function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.['encoding']) === encrypted;
}

/** Returns the id of the key with which a payload is encrypted. Returns undefined if it is not encrypted. */
export function keyIdOf(payload: Payload): string | undefined {
  return isEncrypted(payload) ? textOf(payload.metadata?.[keyIdName]) : undefined;
}

function decrypt(payload: Payload, keys: readonly EncryptionKey[]): Buffer {
  const id = keyIdOf(payload) ?? '';
  const key = keys.find((one) => one.id === id);
  if (key === undefined)
    throw keyError('TEMPORAL_KEY_MISSING', `A payload is encrypted with the key ${JSON.stringify(id)}.`);
  try {
    const bytes = Buffer.from(payload.data ?? []);
    const decryption = createDecipheriv(cipher, key.key, bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    })
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([decryption.update(bytes.subarray(ivBytes, -tagBytes)), decryption.final()]);
  } catch (cause) {
    throw keyError(
      'TEMPORAL_KEY_DIFFERS',
      `The secret of the key ${JSON.stringify(id)} is not the one that a payload is encrypted with, or the payload is damaged.`,
      { cause },
    );
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
