import pMap from 'p-map';
import type { WindowId } from '../etl/window';
import { isFederationError } from '../errors/federation-error';
import { byBytes } from '../federation/byte-order';
import { absent, contributes, keptVersion } from '../federation/decision';
import type { SourceProblem } from '../federation/generation';
import type { PlannedWindow } from '../federation/plan-document';
import type { BucketReader, CallOptions, Version } from '../storage/bucket';
import { clusterEtlKey, clusterId, keptKey } from '../storage/layout';
import { readAll } from '../storage/read-all';

/** One cluster's source of a window while it is being merged. */
export interface WindowSource {
  readonly cluster: string;
  /** The cluster's own file. */
  readonly key: string;
  /** Its version as last looked at, or `absent`. */
  readonly seen: string;
  readonly decision: string;
  /** Of the cluster's own file, in bytes. */
  readonly size: number;
  /** Why it is not taken as it is. */
  readonly problem?: SourceProblem;
}

/** A source with the bytes that are to be merged. */
export interface ReadSource extends WindowSource {
  readonly bytes: Uint8Array;
}

/** Files of one window are read this many at once. */
const concurrentReads = 8;
/** A larger file than this is none that a cluster makes for a window. */
const largestSource = 2 ** 30;

/** The sources as they were planned, with the clusters that the plan did not find but that contributed before. */
export function plannedSources(planned: PlannedWindow, before: readonly string[]): WindowSource[] {
  const window = planned.window as WindowId;
  const held = new Map(planned.held.map((problem) => [problem.cluster, problem]));
  const sources = planned.sources.map(({ cluster, seen, decision, size, path }): WindowSource => {
    const problem = decision === 'used' || decision === 'accepted' ? undefined : held.get(cluster);
    return { cluster, key: clusterEtlKey(clusterId(cluster), path ?? window), seen, decision, size, problem };
  });
  const found = new Set(sources.map((source) => source.cluster));
  for (const cluster of before) {
    if (found.has(cluster)) continue;
    const key = clusterEtlKey(clusterId(cluster), window);
    sources.push({ cluster, key, seen: absent, decision: 'used', size: 0 });
  }
  return sources.sort((a, b) => byBytes(a.cluster, b.cluster));
}

/**
 * Reads what is to be merged, each source at exactly the version that was seen. Those that are not there any more in
 * that version are named instead.
 */
export async function readSources(
  bucket: BucketReader,
  window: WindowId,
  sources: readonly WindowSource[],
  options: CallOptions,
): Promise<{ read: ReadSource[]; moved: WindowSource[] }> {
  const moved: WindowSource[] = [];
  const read = await pMap(
    sources.filter((source) => contributes(source.decision)),
    async (source) => {
      const kept = keptVersion(source.decision);
      const key = kept === undefined ? source.key : keptKey(clusterId(source.cluster), window);
      const version = (kept ?? source.seen) as Version;
      try {
        const { bytes } = await readAll(bucket, key, { ...options, version, maxBytes: largestSource });
        return { ...source, bytes };
      } catch (error) {
        if (!isFederationError(error, 'STORAGE_CONFLICT') && !isFederationError(error, 'STORAGE_NOT_FOUND'))
          throw error;
        moved.push(source);
        return undefined;
      }
    },
    { concurrency: concurrentReads },
  );
  return { read: read.filter((source) => source !== undefined), moved };
}

/** A source as it is now: another version of it, or none. */
export async function lookAgain(
  bucket: BucketReader,
  { cluster, key }: WindowSource,
  options: CallOptions,
): Promise<WindowSource> {
  const head = await bucket.head(key, options);
  const seen = head?.version ?? absent;
  return { cluster, key, seen, decision: 'used', size: head?.size ?? 0 };
}
