import { FederationError } from '../errors/federation-error';
import type { PutOptions } from './bucket';

/**
 * Throws an INTERNAL error if metadata cannot be sent in HTTP headers. Names must be lower-case and begin with a
 * letter, values must be printable ASCII, and the total size must be at most 2 KiB. The error is INTERNAL because all
 * metadata checked here comes from this program itself, not from its users.
 */
export function checkMetadata(key: string, metadata: PutOptions['metadata']): void {
  const entries = Object.entries(metadata ?? {});
  const bad = entries.find(
    ([name, value]) => !/^[a-z][a-z0-9-]*$/.test(name) || !/^[\x20-\x7e]*$/.test(value),
  );
  const size = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bad === undefined && size <= 2048) return;
  throw new FederationError('INTERNAL', {
    subject: { key },
    detail: bad
      ? `Metadata ${JSON.stringify(bad[0])} cannot be a header.`
      : `Metadata has ${size} bytes, more than 2048.`,
    retryable: false,
  });
}
