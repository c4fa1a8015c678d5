import { compareWithKnown } from '../activities/identify-federation';
import { FederationError } from '../errors/federation-error';
import { withHint } from '../errors/hints';
import { readIntact } from '../federation/document';
import { documents } from '../federation/documents';
import type { BucketReader } from '../storage/bucket';
import { findNewest, type Newest } from './newest-generation';
import type { TemporalView } from './temporal-view';

/**
 * Checks that the bucket contains the federation that the roster or a primary knows. If it does not, returns a text
 * that says so, and what to do. Otherwise returns undefined. Also returns undefined if a damaged generation makes the
 * check impossible.
 */
export async function describeOtherBucket(
  bucket: BucketReader,
  found: Newest,
  { roster, pull }: Pick<TemporalView, 'roster' | 'pull'>,
): Promise<string | undefined> {
  if (roster?.known === undefined) {
    const refused = [...pull.values()].find(({ summary }) => summary?.refused !== undefined)?.summary
      ?.refused;
    return refused && withHint({ ...refused, message: refused.detail });
  }
  const recorded = (await readIntact(bucket, documents.federation.at()))?.federation;
  const { known } = roster;
  const compare = async ({ generation, damaged }: Newest) =>
    damaged.length > 0 ? undefined : compareWithKnown(bucket, known, { base: generation, recorded });
  // `found` may have been read before the roster answered, and may thus be outdated. So if `found` does not match, read
  // the bucket again before reporting a mismatch.
  const wrong = (await compare(found)) && (await compare(await findNewest(bucket)));
  if (wrong === undefined) return undefined;
  const { code, detail, hint } = new FederationError(wrong.code, { detail: wrong.detail });
  return `${code}: ${detail} ${hint}`;
}
