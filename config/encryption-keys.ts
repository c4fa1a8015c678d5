import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { describeError } from '../errors/federation-error';
import { keepSecret } from '../errors/secrets';
import { readYaml } from '../storage/read-yaml';
import type { Fault } from './values';

/** A key that encrypts the payloads of workflows and activities. */
export interface EncryptionKey {
  /** Name of the key. It is stored beside each payload in plain text, so that the key can be found again. */
  readonly id: string;
  /** Secret of 32 bytes, for AES-256-GCM. */
  readonly key: Uint8Array;
}

const keyBytes = 32;
const schema = z.strictObject({
  keys: z
    .array(z.strictObject({ id: z.string().min(1).max(100), key: z.base64() }))
    .min(1)
    .max(100),
});

/**
 * Reads the file of `temporal.encryptionKeys`. The first key encrypts; all of them decrypt. If the file cannot be used,
 * adds the reason to `faults`, without any part of a key, and returns no keys.
 */
export function readEncryptionKeys(file: string, faults: Fault[]): readonly EncryptionKey[] {
  const keys: EncryptionKey[] = [];
  const fault = (detail: string) => faults.push({ setting: 'temporal.encryptionKeys', detail });
  try {
    const yaml = readYaml(readFileSync(file, 'utf8'), file, (detail) => new Error(detail));
    const { success, data, error } = schema.safeParse(yaml.value);
    if (!success) {
      for (const { path, message } of error.issues)
        fault(`${file} line ${yaml.lineOf(path)}: ${path.join('.') || 'the file'}: ${message}.`);
      return [];
    }
    for (const { id, key } of data.keys) {
      keepSecret(key);
      const bytes = Buffer.from(key, 'base64');
      if (bytes.length !== keyBytes)
        fault(`${file}: the key ${id} has ${bytes.length} bytes instead of ${keyBytes}.`);
      if (keys.some((other) => other.id === id)) fault(`${file}: two keys have the id ${id}.`);
      keys.push({ id, key: bytes });
    }
    return keys;
  } catch (error) {
    fault(`The file with the encryption keys cannot be read: ${describeError(error)}`);
    return [];
  }
}
