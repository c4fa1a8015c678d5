import { ownValue } from '../etl/own-value';
import { type WindowId, windowId } from '../etl/window';
import { type Damage, examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation, GenerationWindow } from '../federation/generation';
import {
  combinedEtlKey,
  combinedEtlPrefix,
  parseEtlKey,
  publishedKey,
  runReportKey,
  runRequestKey,
} from '../federation/layout';
import { type Published, publishingSteps } from '../federation/published';
import type { BucketReader } from '../storage/bucket';
import type { Finding } from './finding';
import { describeDifference, isMissing, readDigest } from './read-digest';

/** State of the published files when a generation is verified. */
export interface PublishedState {
  readonly generation: Generation;
  /** The record of publishing; undefined if it is missing or damaged. */
  readonly record?: Published;
  readonly damage?: Damage;
  /** The versions of the published files. */
  readonly there: ReadonlyMap<WindowId, string>;
  /**
   * True if the run that committed the generation has no report yet, and the record is still that of an earlier
   * generation. Files of the earlier generation are then not damage: the run is still publishing, or died before it had
   * finished.
   */
  readonly isPublishing: boolean;
}

/** Reads what is published: the record of publishing first, then the list of the files. */
export async function readPublished(bucket: BucketReader, generation: Generation): Promise<PublishedState> {
  const { value: record, damage } = await examineDocument(bucket, documents.published.at());
  // Publishing writes the record last, and the run writes its report after that. So an older record may mean that the
  // run is still publishing.
  const behind =
    record === undefined
      ? damage === undefined && generation.generation === 1
      : record.generation < generation.generation;
  const isPublishing = behind && (await isRunning(bucket, generation.run));
  const there = await listPublished(bucket);
  return { generation, there, isPublishing, ...(record && { record }), ...(damage && { damage }) };
}

/** Returns whether the bucket has the request of a run, but not its report. */
async function isRunning(bucket: BucketReader, run: string): Promise<boolean> {
  return (
    (await bucket.head(runReportKey(run))) === undefined &&
    (await bucket.head(runRequestKey(run))) !== undefined
  );
}

async function listPublished(bucket: BucketReader): Promise<Map<WindowId, string>> {
  const found = new Map<WindowId, string>();
  for await (const entry of bucket.list(combinedEtlPrefix)) {
    const file = entry.kind === 'object' ? parseEtlKey(combinedEtlPrefix, entry.key) : undefined;
    if (entry.kind === 'object' && file?.plain) found.set(windowId(file.ref), entry.version);
  }
  return found;
}

/**
 * Checks the record of publishing, and finds published files of windows that the generation does not have. Returns the
 * findings, and the number of files that the run in progress has yet to remove.
 */
export function checkRecord({ generation, record, damage, there, isPublishing }: PublishedState): {
  findings: Finding[];
  unpublished: number;
} {
  if (damage !== undefined)
    return { findings: [{ about: 'published', ...damage, todo: publishAgain }], unpublished: 0 };
  const { remove } = publishingSteps(record, there, generation);
  const leftOver = remove.filter((window) => there.has(window));
  if (isPublishing) return { findings: [], unpublished: leftOver.length };
  const findings: Finding[] = leftOver.map((id) => ({
    about: id,
    key: combinedEtlKey(id),
    detail: 'It is still published, but not part of the generation.',
    todo: publishAgain,
  }));
  // A record of a newer generation is not reported here: that generation is damaged or missing, because `generation` is
  // the newest that can be read. Another check reports this.
  if (record === undefined || record.generation < generation.generation) {
    const is = record === undefined ? 'none' : `generation ${record.generation}`;
    const detail = `Generation ${generation.generation} is the newest, but ${is} is published.`;
    findings.unshift({ about: 'published', key: publishedKey, detail, todo: publishAgain });
  }
  return { findings, unpublished: 0 };
}

/** Checks the published file of a window. Returns `not yet` if the run in progress has yet to publish it. */
export async function checkPublishedFile(
  bucket: BucketReader,
  { record, isPublishing }: PublishedState,
  id: WindowId,
  window: GenerationWindow,
): Promise<Finding | 'not yet' | undefined> {
  const key = combinedEtlKey(id);
  const found = await readDigest(bucket, key);
  const detail = describeDifference(found, window);
  if (detail === undefined) return undefined;
  const before = ownValue(record?.windows, id);
  const wasPublished = before !== undefined && before.version !== '';
  const isAsBefore =
    typeof found === 'string' ? found === isMissing && !wasPublished : found.digest === before?.digest;
  if (isPublishing && isAsBefore) return 'not yet';
  return { about: id, key, detail, todo: publishAgain };
}

/** Counts the published files that neither the generation nor the record of publishing names. */
export async function countUnnamed(
  bucket: BucketReader,
  { generation, record, there }: PublishedState,
): Promise<number> {
  const unnamedBy = (...published: (Published | undefined)[]) =>
    [...there.keys()].filter(
      (id) =>
        ownValue(generation.windows, id) === undefined &&
        published.every((one) => !ownValue(one?.windows, id)),
    ).length;
  if (unnamedBy(record) === 0) return 0;
  // A newer generation may have been published after `record` was read and before the files were listed. So read the
  // record again.
  const { value: now } = await examineDocument(bucket, documents.published.at());
  return unnamedBy(record, now);
}

const publishAgain = 'The next federation repairs that.';
