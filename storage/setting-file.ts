import { readFileSync } from 'node:fs';
import { FederationError } from '../errors/federation-error';

/** A file that a setting names. STORE_CONFIG_INVALID when it cannot be read. */
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
