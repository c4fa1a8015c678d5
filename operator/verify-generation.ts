import { createHash } from 'node:crypto';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { isFederationError } from '../errors/federation-error';
import { type WindowId, windowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import { examineDocument, readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation, GenerationWindow } from '../federation/generation';
import { entryWindow, windowEntries } from '../federation/generation-entry';
import {
  combinedEtlKey,
  combinedEtlPrefix,
  objectKey,
  parseEtlKey,
  publishedKey,
} from '../federation/layout';
import type { Provenance } from '../federation/provenance';
import { type Published, publishingSteps } from '../federation/published';
import type { BucketReader } from '../storage/bucket';
import { remerge } from './remerge';

/** Something in the bucket that is damaged, missing, or different from what the generation says. */
export interface Finding {
  /** What is affected: a WindowId, or the name of a document, such as `published` for `published.json`. */
  readonly about: string;
  readonly key: string;
  readonly detail: string;
  /** How to repair what was found. */
  readonly todo: string;
}

export interface Verification {
  /** Number of the verified generation: the newest that can be read. Null if none can be read. */
  readonly generation: number | null;
  readonly windows: number;
  /** Number of windows that were merged again; 0 without `deep`. */
  readonly remerged: number;
  /** Number of windows that were not merged again, because a source has changed since the merge; 0 without `deep`. */
  readonly changedSince: number;
  /**
   * Number of files in the folder of the published windows that neither the generation nor `published.json` lists.
   * Verification and federations ignore these files.
   */
  readonly unnamed: number;
  readonly findings: readonly Finding[];
}

export interface VerifyOptions {
  /**
   * Current listing of the clusters' window files. If it is given, the sources of each window are merged again, and the
   * result is compared with the merged object.
   */
  readonly deep?: readonly ListedFile[];
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
  { deep, onProgress }: VerifyOptions = {},
): Promise<Verification> {
  const there = await listPublished(bucket);
  const { value: published, damage } = await examineDocument(bucket, documents.published.at());
  const findings =
    damage === undefined
      ? checkPublished(published, there, generation)
      : [{ about: 'published', ...damage, todo: publishAgain }];
  const windows = windowEntries(generation.windows);
  let [done, remerged, changedSince] = [0, 0, 0];
  await mapConcurrently(
    windows,
    deep === undefined ? concurrency.shallow : concurrency.deep,
    async ([id, window]) => {
      const provenance = await checkObject(bucket, id, window, findings);
      const copy = { about: id, key: combinedEtlKey(id), todo: publishAgain };
      await checkBytes(bucket, copy, window, findings);
      if (deep !== undefined && provenance !== undefined) {
        const result = await remerge(bucket, id, provenance, deep);
        if (result === 'changed since') changedSince += 1;
        else remerged += 1;
        if (result === 'differs') {
          const detail = 'Merging the sources again has a different result.';
          findings.push({ about: id, key: objectKey(window.fingerprint), detail, todo: mergeAgain(id) });
        }
      }
      onProgress?.(++done, windows.length);
    },
  );
  const ours = { ...published?.windows, ...generation.windows };
  const unnamed = [...there.keys()].filter((id) => ours[id] === undefined).length;
  return {
    generation: generation.generation,
    windows: windows.length,
    remerged,
    changedSince,
    unnamed,
    findings,
  };
}

/** Returns the versions of the published files, keyed by WindowId. */
async function listPublished(bucket: BucketReader): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const entry of bucket.list(combinedEtlPrefix)) {
    const file = entry.kind === 'object' ? parseEtlKey(combinedEtlPrefix, entry.key) : undefined;
    if (entry.kind === 'object' && file?.plain) found.set(windowId(file.ref), entry.version);
  }
  return found;
}

/**
 * Checks `published.json`, and finds published files that the generation no longer contains. The content of published
 * files is checked elsewhere, window by window.
 */
function checkPublished(
  published: Published | undefined,
  there: Map<string, string>,
  generation: Generation,
): Finding[] {
  const findings: Finding[] = [];
  // If a newer generation has been published, that generation is damaged or missing. Another check reports this.
  if (published === undefined || published.generation < generation.generation) {
    const is = published === undefined ? 'none' : `generation ${published.generation}`;
    const detail = `Generation ${generation.generation} is the newest, but ${is} is published.`;
    findings.push({ about: 'published', key: publishedKey, detail, todo: publishAgain });
  }
  for (const id of publishingSteps(published, there, generation).remove.filter((window) =>
    there.has(window),
  )) {
    const detail = 'It is still published, but not part of the generation.';
    findings.push({ about: id, key: combinedEtlKey(id), detail, todo: publishAgain });
  }
  return findings;
}

/** Checks a window's merged object and its provenance. Returns the provenance if it matches the generation. */
async function checkObject(
  bucket: BucketReader,
  id: WindowId,
  window: GenerationWindow,
  findings: Finding[],
): Promise<Provenance | undefined> {
  const todo = mergeAgain(id);
  await checkBytes(bucket, { about: id, key: objectKey(window.fingerprint), todo }, window, findings);
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

async function checkBytes(
  bucket: BucketReader,
  object: Omit<Finding, 'detail'>,
  expected: GenerationWindow,
  findings: Finding[],
): Promise<void> {
  const complain = (detail: string): void => void findings.push({ ...object, detail });
  try {
    const { head, body } = await bucket.get(object.key);
    const hash = createHash('sha256');
    for await (const chunk of body) hash.update(chunk);
    if (head.size !== expected.size) complain(`It has ${head.size} bytes, not ${expected.size}.`);
    else if (hash.digest('hex') !== expected.digest)
      complain('Its bytes changed since they were written: the digest differs.');
  } catch (error) {
    complain(whatFailed(error));
  }
}

const publishAgain = 'The next federation repairs that.';

/** Returns a sentence that says how to repair a window whose merged object or provenance is missing or damaged. */
function mergeAgain(id: WindowId): string {
  const { start, end } = entryWindow(id).window;
  return `\`federated-etl federate --force --window ${start},${end}\` merges it again.`;
}

/** Describes an error that shows that an object is missing or damaged. Rethrows any other error. */
function whatFailed(error: unknown): string {
  if (isFederationError(error, 'STORAGE_NOT_FOUND')) return 'It is missing.';
  if (isFederationError(error, 'STORAGE_CORRUPT')) return error.detail;
  throw error;
}
