import { readFileSync } from 'node:fs';
import { FederationError } from '../errors/federation-error';

/** Reads the file whose path is the value of a setting. Throws STORE_CONFIG_INVALID if the file cannot be read. */
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
