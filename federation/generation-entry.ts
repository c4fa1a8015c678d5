import { FederationError } from '../errors/federation-error';
import { parseWindowId, type WindowId, windowId, type WindowRef } from '../etl/window';

/**
 * Parses a window id that was read from a generation document. Throws GENERATION_UNREADABLE if the id is invalid. This
 * check is needed because paths are built from the id, and others may be able to write to the bucket, too.
 */
export function entryWindow(id: string): WindowRef {
  const ref = parseWindowId(id);
  if (ref !== undefined) return ref;
  throw new FederationError('GENERATION_UNREADABLE', {
    subject: { window: JSON.stringify(id) },
    detail: 'The generation has an entry that is not a window id.',
  });
}

/** Lists the windows of a generation with their ids. Throws GENERATION_UNREADABLE if an id is invalid. */
export function windowEntries<Window>(windows: Readonly<Record<string, Window>>): [WindowId, Window][] {
  return Object.entries(windows).map(([id, window]) => [windowId(entryWindow(id)), window]);
}

/** Creates the error for an object whose digest differs from the digest in the generation. */
export function wrongDigest(key: string): FederationError {
  return new FederationError('GENERATION_UNREADABLE', {
    subject: { key },
    detail: 'The object does not have the digest given in the generation.',
  });
}
