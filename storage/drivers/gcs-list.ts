import { z } from 'zod';
import type { ListEntry, ListOptions } from '../bucket';
import { entriesOf } from '../list-page';
import { infoOf, objectOf } from './gcs-answers';
import type { GcsClient } from './gcs-client';
import { notTheStore } from './gcs-errors';

/** Number of entries per page. This is the maximum that the store allows. */
const pageSize = '1000';
const fields = 'kind,nextPageToken,prefixes,items(name,size,generation,updated)';

const page = z.object({
  kind: z.literal('storage#objects'),
  items: z.array(z.unknown()).default([]),
  prefixes: z.array(z.string()).default([]),
  nextPageToken: z.string().optional(),
});

/** Yields the objects and folders of a listing in byte order, requesting one page at a time. Skips invalid keys. */
export async function* listPages(
  client: GcsClient,
  { path, prefix }: { readonly path: string; readonly prefix: string },
  { delimiter, after, signal, onPage }: ListOptions,
): AsyncGenerator<ListEntry> {
  for (let pageToken: string | undefined; ;) {
    onPage?.();
    const query = {
      prefix: prefix || undefined,
      delimiter,
      startOffset: after || undefined,
      maxResults: pageSize,
      pageToken,
      fields,
    };
    const { success, data } = page.safeParse(await client.json({ method: 'GET', path, query, signal }));
    if (!success) throw notTheStore('The answer is not a listing');
    const objects = data.items.map((item) => infoOf(objectOf(item).head));
    yield* entriesOf({ objects, prefixes: data.prefixes }, after);
    pageToken = data.nextPageToken || undefined;
    if (pageToken === undefined) return;
  }
}
