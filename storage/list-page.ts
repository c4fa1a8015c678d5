import type { ListEntry, ObjectInfo } from './bucket';
import { keyFault } from './check-key';

/** One page of a listing, as a store returns it. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
}

/**
 * Returns the entries of a page in byte order. Skips invalid keys, and all entries that do not sort after `after`.
 * Stores may return such entries: some ignore `after`, and some also return the entry that equals `after`. All stores
 * return a prefix that sorts before `after` if the prefix contains a key that sorts after `after`.
 */
export function entriesOf({ objects, prefixes }: ListPage, after = ''): ListEntry[] {
  const behind = Buffer.from(after);
  return [
    ...objects
      .filter(({ key }) => keyFault(key) === undefined)
      .map((info) => ({ entry: { kind: 'object', ...info } as const, bytes: Buffer.from(info.key) })),
    ...prefixes
      .filter((prefix) => keyFault(prefix.slice(0, -1)) === undefined)
      .map((prefix) => ({ entry: { kind: 'prefix', prefix } as const, bytes: Buffer.from(prefix) })),
  ]
    .filter(({ bytes }) => Buffer.compare(bytes, behind) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ entry }) => entry);
}
