import { readFileSync } from 'node:fs';
import { FederationError } from '../errors/federation-error';

/** Reads a file named by a setting. Throws STORE_CONFIG_INVALID if it cannot be read. */
export function readSettingFile(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new FederationError('STORE_CONFIG_INVALID', {
      subject: { setting },
      detail: `${setting} names ${path}, which cannot be read.`,
      cause,
    });
  }
}
