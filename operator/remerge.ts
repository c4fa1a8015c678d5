import { type FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { dumpSet } from '../etl/dump';
import { decodeSet } from '../etl/file';
import { largestWindow } from '../etl/largest-window';
import { type MergeInput, mergeSets } from '../etl/merge';
import type { EtlSet, SetOf } from '../etl/model';
import { parseWindowId, type Pipeline, type WindowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import { keptVersion } from '../federation/decision';
import { clusterEtlKey, keptKey, objectKey } from '../federation/layout';
import type { Provenance, ProvenanceSource } from '../federation/provenance';
import type { BucketReader, Version } from '../storage/bucket';
import { readWhole } from '../storage/read-all';

/** A source that cannot be read any more, although it has not changed since the merge. */
export interface UnreadableSource {
  readonly cluster: ClusterId;
  readonly key: string;
  /** Whether it is the cluster's last good contribution, and not the file that the cluster pushed. */
  readonly kept: boolean;
  readonly error: FederationError;
}

/**
 * Merges a window's sources again, and compares the result with the merged object: every field of every record. Returns
 * `changed since` if a source has changed since the merge, or the first source that cannot be read. `files` is the
 * current listing of the clusters' window files.
 */
export async function remerge(
  bucket: BucketReader,
  window: WindowId,
  provenance: Provenance,
  files: readonly ListedFile[],
): Promise<'same' | 'differs' | 'changed since' | UnreadableSource> {
  const pipeline = parseWindowId(window)?.pipeline;
  if (pipeline === undefined) return 'differs';
  const contributed = provenance.sources.filter(({ contribution }) => contribution !== undefined);
  const inputs: MergeInput<SetOf[Pipeline]>[] = [];
  for (const source of contributed) {
    const found = findSource(window, source, files);
    if (found === undefined) return 'changed since';
    try {
      const { bytes } = await readWhole(bucket, found.key, {
        maxBytes: largestWindow,
        version: found.version,
      });
      inputs.push({ id: source.cluster, set: decodeSet(pipeline, bytes) });
    } catch (error) {
      if (meansMoved(error)) return 'changed since';
      if (!meansUnreadable(error)) throw error;
      const kept = keptVersion(source.decision) !== undefined;
      return { cluster: source.cluster, key: found.key, kept, error };
    }
  }
  try {
    const { fingerprint, digest } = provenance;
    const { bytes } = await readWhole(bucket, objectKey(fingerprint), { digest, maxBytes: largestWindow });
    return meaning(decodeSet(pipeline, bytes)) === meaning(mergeSets(pipeline, inputs).set)
      ? 'same'
      : 'differs';
  } catch (error) {
    if (isFederationError(error, 'STORAGE_NOT_FOUND') || meansUnreadable(error)) return 'differs';
    throw error;
  }
}

function meansMoved(error: unknown): boolean {
  return isFederationError(error, 'STORAGE_NOT_FOUND') || isFederationError(error, 'STORAGE_CONFLICT');
}

/** Returns whether an error is about an object's bytes. If it is a merged object, other checks report the cause. */
function meansUnreadable(error: unknown): error is FederationError {
  return isFederationError(error) && (error.code.startsWith('ETL_') || error.code === 'STORAGE_CORRUPT');
}

/**
 * Finds the object that the merge used for a source. If the merge used the cluster's last good contribution, that is its
 * copy under `kept/`; otherwise, the cluster's file. Returns undefined if the cluster's file is another one now.
 */
function findSource(
  window: WindowId,
  { cluster, seen, decision }: ProvenanceSource,
  files: readonly ListedFile[],
): { readonly key: string; readonly version: Version } | undefined {
  const kept = keptVersion(decision);
  if (kept !== undefined) return { key: keptKey(cluster, window), version: kept };
  const file = files.find(
    (other) => other.cluster === cluster && other.window === window && other.version === seen,
  );
  return file && { key: clusterEtlKey(cluster, file.path), version: file.version };
}

function meaning(set: EtlSet): string {
  return JSON.stringify(dumpSet(set, { codecVersions: false }));
}
