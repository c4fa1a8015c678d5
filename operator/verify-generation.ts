import { mapConcurrently } from '../concurrency/map-concurrently';
import type { WindowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import { readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation, GenerationWindow } from '../federation/generation';
import { entryWindow, windowEntries } from '../federation/generation-entry';
import { objectKey } from '../federation/layout';
import type { Provenance } from '../federation/provenance';
import type { BucketReader } from '../storage/bucket';
import type { Finding } from './finding';
import { describeDifference, readDigest, whatFailed } from './read-digest';
import { remerge, type UnreadableSource } from './remerge';
import { checkPublishedFile, checkRecord, countUnnamed, readPublished } from './verify-published';

export interface Verification {
  /** Number of the verified generation: the newest one that could be read at the start. Null if none can be read. */
  readonly generation: number | null;
  readonly windows: number;
  /** Number of windows that were merged again; 0 without `deep`. */
  readonly remerged: number;
  /** Number of windows that were not merged again, because a source has changed since the merge; 0 without `deep`. */
  readonly changedSince: number;
  /**
   * Number of files that are in the folder of the published windows, but that neither the generation nor
   * `published.json` lists. Verification and federations ignore these files.
   */
  readonly unnamed: number;
  /**
   * Number of published files that differ only because the generation is not fully published yet: the run that
   * committed it has not ended.
   */
  readonly unpublished: number;
  readonly findings: readonly Finding[];
}

export interface VerifyOptions {
  /**
   * Current listing of the clusters' window files. If it is given, the sources of each window are merged again, and the
   * result is compared with the merged object.
   */
  readonly deep?: readonly ListedFile[];
  /** Only these windows are checked. (Default: all) */
  readonly only?: ReadonlySet<string>;
  /** Called after each window has been checked. `of` is the number of windows to check. */
  readonly onProgress?: (done: number, of: number) => void;
}

/**
 * Number of windows to check at once. A shallow check only streams a window and computes its hash. A deep check holds
 * the window and its sources in memory.
 */
const concurrency = { shallow: 8, deep: 2 };

/** Checks whether the bucket matches a generation: the merged objects, their provenance and the published windows. */
export async function verifyGeneration(
  bucket: BucketReader,
  generation: Generation,
  { deep, only, onProgress }: VerifyOptions = {},
): Promise<Verification & { readonly generation: number }> {
  const published = await readPublished(bucket, generation);
  const record = checkRecord(published);
  const findings = [...record.findings];
  const windows = windowEntries(generation.windows).filter(([id]) => only?.has(id) ?? true);
  let [done, remerged, changedSince, unpublished] = [0, 0, 0, record.unpublished];
  await mapConcurrently(
    windows,
    deep === undefined ? concurrency.shallow : concurrency.deep,
    async ([id, window]) => {
      const provenance = await checkObject(bucket, id, window, findings);
      const file = await checkPublishedFile(bucket, published, id, window);
      if (file === 'not yet') unpublished += 1;
      else if (file !== undefined) findings.push(file);
      if (deep !== undefined && provenance !== undefined) {
        const result = await remerge(bucket, id, provenance, deep);
        if (result === 'changed since') changedSince += 1;
        else if (typeof result === 'string') remerged += 1;
        if (result === 'differs') {
          const detail = 'Merging the sources again has a different result.';
          findings.push({ about: id, key: objectKey(window.fingerprint), detail, todo: mergeAgain(id) });
        } else if (typeof result === 'object') {
          const { key, error } = result;
          findings.push({ about: id, key, detail: error.detail, todo: repairOf(id, result) });
        }
      }
      onProgress?.(++done, windows.length);
    },
  );
  return {
    generation: generation.generation,
    windows: windows.length,
    remerged,
    changedSince,
    unnamed: await countUnnamed(bucket, published),
    unpublished,
    findings,
  };
}

/** Codes of the errors that mean that an object is not what was written. Others may be about a good object. */
const damage: readonly string[] = ['STORAGE_CORRUPT', 'ETL_EMPTY_FILE', 'ETL_TRUNCATED', 'ETL_CORRUPT'];

function repairOf(id: WindowId, { cluster, kept, error }: UnreadableSource): string {
  if (!damage.includes(error.code)) return error.hint;
  return kept ? `Delete it. ${mergeAgain(id)}` : `Delete it: the next push of ${cluster} uploads it again.`;
}

/** Checks a window's merged object and its provenance. Returns the provenance if it matches the generation. */
async function checkObject(
  bucket: BucketReader,
  id: WindowId,
  window: GenerationWindow,
  findings: Finding[],
): Promise<Provenance | undefined> {
  const todo = mergeAgain(id);
  const object = objectKey(window.fingerprint);
  const difference = describeDifference(await readDigest(bucket, object), window);
  if (difference !== undefined) findings.push({ about: id, key: object, detail: difference, todo });
  const document = documents.provenance.at(window.fingerprint);
  const { key } = document;
  const complain = (detail: string): undefined => void findings.push({ about: id, key, detail, todo });
  try {
    const provenance = await readDocument(bucket, document);
    if (provenance === undefined) return complain('The provenance is missing.');
    const { fingerprint, digest, size } = provenance;
    const same =
      provenance.window === id &&
      fingerprint === window.fingerprint &&
      digest === window.digest &&
      size === window.size;
    return same ? provenance : complain('The provenance is of another object than the generation names.');
  } catch (error) {
    return complain(whatFailed(error));
  }
}

/** Returns a sentence that says how to repair a window whose merged object or provenance is missing or damaged. */
function mergeAgain(id: WindowId): string {
  const { start, end } = entryWindow(id).window;
  return `\`federated-etl federate --force --window ${start},${end}\` merges it again.`;
}
