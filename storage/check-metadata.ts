import { FederationError } from '../errors/federation-error';
import type { PutOptions } from './bucket';

/**
 * Metadata is sent in HTTP headers: lower-case names that begin with a letter, printable ASCII values, 2 KiB in total.
 * Anything else is a bug of ours.
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
