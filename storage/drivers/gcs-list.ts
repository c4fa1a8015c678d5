import { z } from 'zod';
import type { ListEntry, ListOptions } from '../bucket';
import { keyFault } from '../check-key';
import { objectOf } from './gcs-answers';
import type { GcsClient } from './gcs-client';
import { notTheStore } from './gcs-errors';

/** The most that the store gives out at once. */
const pageSize = '1000';
const fields = 'kind,nextPageToken,prefixes,items(name,size,generation,updated)';

const page = z.object({
  kind: z.literal('storage#objects'),
  items: z.array(z.unknown()).default([]),
  prefixes: z.array(z.string()).default([]),
  nextPageToken: z.string().optional(),
});

type Sorted = { readonly entry: ListEntry; readonly bytes: Buffer };

/** A listing, a page in memory at a time, in the order of bytes; names that are no keys of ours are passed over. */
export async function* listPages(
  client: GcsClient,
  { path, prefix }: { readonly path: string; readonly prefix: string },
  { delimiter, after, signal }: ListOptions,
): AsyncGenerator<ListEntry> {
  const afterBytes = Buffer.from(after ?? '');
  for (let pageToken: string | undefined; ;) {
    const query = {
      prefix: prefix || undefined,
      delimiter,
      startOffset: after || undefined,
      maxResults: pageSize,
      pageToken,
      fields,
    };
    const { success, data } = page.safeParse(await client.json({ method: 'GET', path, query, signal }));
    if (!success) throw notTheStore('A listing was asked for, and what came was none');
    const sorted = entriesOf(data).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    // The offset itself is listed, too, and so is a prefix before it some of whose keys are behind it.
    for (const { entry, bytes } of sorted) if (Buffer.compare(bytes, afterBytes) > 0) yield entry;
    pageToken = data.nextPageToken || undefined;
    if (pageToken === undefined) return;
  }
}

function entriesOf({ items, prefixes }: z.output<typeof page>): Sorted[] {
  const objects = items.flatMap((item) => {
    const { metadata: _, ...info } = objectOf(item).head;
    if (keyFault(info.key) !== undefined) return [];
    return [{ entry: { kind: 'object', ...info } as const, bytes: Buffer.from(info.key) }];
  });
  const deeper = prefixes.flatMap((prefix) => {
    if (keyFault(prefix.slice(0, -1)) !== undefined) return [];
    return [{ entry: { kind: 'prefix', prefix } as const, bytes: Buffer.from(prefix) }];
  });
  return [...objects, ...deeper];
}
