import { isFederationError } from '../errors/federation-error';
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
import type { BucketReader } from '../storage/bucket';
import { readAll } from '../storage/read-all';

/**
 * Merges a window's sources again, and compares the result with the merged object: every field of every record. Returns
 * `changed since` if a source has changed since the merge. `files` is the current listing of the clusters' window
 * files.
 */
export async function remerge(
  bucket: BucketReader,
  window: WindowId,
  provenance: Provenance,
  files: readonly ListedFile[],
): Promise<'same' | 'differs' | 'changed since'> {
  const pipeline = parseWindowId(window)?.pipeline;
  if (pipeline === undefined) return 'differs';
  const contributed = provenance.sources.filter(({ contribution }) => contribution !== undefined);
  const inputs: MergeInput<SetOf[Pipeline]>[] = [];
  for (const source of contributed) {
    const bytes = await readSource(bucket, window, source, files);
    if (bytes === undefined) return 'changed since';
    inputs.push({ id: source.cluster, set: decodeSet(pipeline, bytes) });
  }
  try {
    const { bytes } = await readAll(bucket, objectKey(provenance.fingerprint), { maxBytes: largestWindow });
    return meaning(decodeSet(pipeline, bytes)) === meaning(mergeSets(pipeline, inputs).set)
      ? 'same'
      : 'differs';
  } catch (error) {
    if (meansMissingOrDamaged(error)) return 'differs';
    throw error;
  }
}

/** Returns whether an error means that the merged object is missing or damaged. Other checks report the cause. */
function meansMissingOrDamaged(error: unknown): boolean {
  if (!isFederationError(error)) return false;
  return error.code.startsWith('ETL_') || ['STORAGE_NOT_FOUND', 'STORAGE_CORRUPT'].includes(error.code);
}

/**
 * Reads the bytes that the merge used for a source. If the merge used the cluster's last good contribution, reads its
 * copy under `kept/`; otherwise, reads the cluster's file. Returns undefined if these bytes no longer exist.
 */
async function readSource(
  bucket: BucketReader,
  window: WindowId,
  { cluster, seen, decision }: ProvenanceSource,
  files: readonly ListedFile[],
): Promise<Buffer | undefined> {
  const kept = keptVersion(decision);
  const file = files.find(
    (other) => other.cluster === cluster && other.window === window && other.version === seen,
  );
  const version = kept ?? file?.version;
  if (version === undefined) return undefined;
  const key = kept === undefined && file ? clusterEtlKey(cluster, file.path) : keptKey(cluster, window);
  try {
    return (await readAll(bucket, key, { maxBytes: largestWindow, version })).bytes;
  } catch (error) {
    const moved =
      isFederationError(error, 'STORAGE_NOT_FOUND') || isFederationError(error, 'STORAGE_CONFLICT');
    if (moved) return undefined;
    throw error;
  }
}

function meaning(set: EtlSet): string {
  return JSON.stringify(dumpSet(set, { codecVersions: false }));
}
