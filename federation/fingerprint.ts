import { createHash } from 'node:crypto';
import type { WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import { mergeRevision } from './merge-revision';

/** One cluster's source for a window. */
export interface FingerprintSource {
  readonly cluster: string;
  /** The source's version as it was listed, or `absent`. */
  readonly seen: string;
  readonly decision: string;
}

/**
 * Computes the name of a merged window from everything that determines its bytes: merge revision, window, and the
 * version and decision of each cluster's source. The order of the sources does not matter. A cluster that never had a
 * file for the window is not among the sources. So a new cluster changes only the names of windows for which it has
 * files.
 */
export function fingerprint(
  ref: WindowRef,
  sources: readonly FingerprintSource[],
  revision: number = mergeRevision,
): string {
  const said = [...sources]
    .sort((a, b) => byBytes(a.cluster, b.cluster))
    .map((source) => [source.cluster, source.seen, source.decision]);
  const { pipeline, resolution, window } = ref;
  // JSON keeps the values apart, whatever characters they contain.
  const text = JSON.stringify([revision, pipeline, resolution, window.start, window.end, said]);
  return createHash('sha256').update(text).digest('hex');
}
