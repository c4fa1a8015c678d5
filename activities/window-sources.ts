import type { ClusterId } from '../etl/cluster-id';
import { byBytes } from '../federation/byte-order';
import { absent, type Decision, type Seen } from '../federation/decision';
import type { QuarantinedSource } from '../federation/generation';
import { clusterEtlKey } from '../federation/layout';
import type { PlannedWindow } from '../federation/plan-document';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** One cluster's source for a window that is being merged. */
export interface WindowSource {
  readonly cluster: ClusterId;
  /** Key of the cluster's own file in the bucket. */
  readonly key: string;
  /** Version of the cluster's own file when it was last looked up. `absent` if there was no file. */
  readonly seen: Seen;
  readonly decision: Decision;
  /** Size of the cluster's own file in bytes. */
  readonly size: number;
  /** Cluster names in the file that the cluster does not own, if the plan knows them. */
  readonly names?: readonly string[];
  /** Set if the source is quarantined: the reason, and what is merged instead. */
  readonly quarantined?: QuarantinedSource;
}

/**
 * Returns the sources of a planned window. `before` contains the clusters that contributed earlier. For each cluster in
 * `before` that has no source in the plan, adds a source whose file is absent.
 */
export function plannedSources(planned: PlannedWindow, before: readonly ClusterId[]): WindowSource[] {
  const { window } = planned;
  const known = new Map(planned.quarantined.map((quarantined) => [quarantined.cluster, quarantined]));
  const sources = planned.sources.map(({ cluster, seen, decision, size, path, names }): WindowSource => {
    const quarantined = decision === 'used' || decision === 'accepted' ? undefined : known.get(cluster);
    return {
      cluster,
      key: clusterEtlKey(cluster, path ?? window),
      seen,
      decision,
      size,
      names,
      quarantined,
    };
  });
  const found = new Set(sources.map((source) => source.cluster));
  for (const cluster of before) {
    if (found.has(cluster)) continue;
    const key = clusterEtlKey(cluster, window);
    sources.push({ cluster, key, seen: absent, decision: 'used', size: 0 });
  }
  return sources.sort((a, b) => byBytes(a.cluster, b.cluster));
}

/** Looks up the current version of a source's file. If the file no longer exists, the source becomes `absent`. */
export async function lookAgain(
  bucket: BucketReader,
  { cluster, key }: WindowSource,
  options: CallOptions,
): Promise<WindowSource> {
  const head = await bucket.head(key, options);
  const seen = head?.version ?? absent;
  return { cluster, key, seen, decision: 'used', size: head?.size ?? 0 };
}
