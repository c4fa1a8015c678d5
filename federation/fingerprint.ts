import { createHash } from 'node:crypto';
import type { WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import { mergeRevision } from './merge-revision';

/** A source: one cluster's file for a window. */
export interface FingerprintSource {
  readonly cluster: string;
  /** Version of the file in the listing, or `absent`. */
  readonly seen: string;
  readonly decision: string;
}

/**
 * Computes a merged window's fingerprint: a hash of everything that determines the window's bytes. This includes the
 * revision number of the merge code, the window, and for each source its cluster, its version and the decision on how
 * to merge it. The order of `sources` does not matter. The merged object is stored under its fingerprint.
 *
 * A cluster that never had a file for the window is not in `sources`. So a new cluster changes only the fingerprints of
 * windows for which it has files.
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
  // JSON is unambiguous here. If the values were just concatenated, different values could give the same text.
  const text = JSON.stringify([revision, pipeline, resolution, window.start, window.end, said]);
  return createHash('sha256').update(text).digest('hex');
}
