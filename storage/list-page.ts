import type { ListEntry, ObjectInfo } from './bucket';
import { keyFault } from './check-key';

/** What a store gave out as one page of a listing. */
export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  readonly prefixes: readonly string[];
}

/**
 * The entries of a page in the order of bytes. Names that are no keys of ours are passed over, and so is what is not
 * behind `after`: some stores give it out itself, some take no notice of it, and all give out a prefix that is not behind
 * it when some of the prefix's keys are.
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
