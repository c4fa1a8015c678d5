import { z } from 'zod';
import type { ObjectHead } from '../bucket';
import { changed } from '../store-failure';
import { type GcsObject, objectFields, objectOf } from './gcs-answers';
import type { GcsClient } from './gcs-client';
import { notTheStore, statusOf } from './gcs-errors';

const progress = z.object({
  kind: z.literal('storage#rewriteResponse'),
  done: z.boolean(),
  rewriteToken: z.string().optional(),
  resource: z.unknown().optional(),
});

/**
 * Copies an object and its metadata inside the store, with as many requests as the store needs. `path` is the URL path
 * of the API method `rewriteTo`; it contains the keys of source and target. Throws STORAGE_CONFLICT if the object no
 * longer has the version in `source`.
 */
export async function copyObject(
  client: GcsClient,
  { path, source }: { readonly path: string; readonly source: ObjectHead },
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  for (let rewriteToken: string | undefined; ;) {
    const query = {
      sourceGeneration: source.version,
      rewriteToken,
      fields: `kind,done,rewriteToken,resource(${objectFields})`,
    };
    const answer = await client.json({ method: 'POST', path, query, signal }).catch((error: unknown) => {
      throw statusOf(error) === 404 ? changed(source.key) : error;
    });
    const { success, data } = progress.safeParse(answer);
    if (!success) throw notTheStore('The answer does not describe the progress of a copy');
    if (data.done) return objectOf(data.resource);
    rewriteToken = data.rewriteToken;
    if (rewriteToken === undefined) throw notTheStore('An unfinished copy has no token to continue it');
  }
}
