import type { ListEntry, ObjectInfo } from './bucket';
import { keyFault } from './check-key';

/** One page of a listing, as a store returns it. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
}

/**
 * Returns the entries of a page in byte order. Skips invalid keys. Also skips entries that do not sort after `after`,
 * because stores may return them. Some stores ignore `after`. Some include the entry that equals `after`. And if
 * `after` is `a/b`, all stores return the prefix `a/` again if it has keys after `a/b`.
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
