import { FederationError } from '../errors/federation-error';
import type { PutOptions } from './bucket';

/**
 * Checks that metadata can be sent in HTTP headers: names are lower-case and begin with a letter, values are printable
 * ASCII, and the total is at most 2 KiB. If not, it is a bug of this program.
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
