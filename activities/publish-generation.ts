import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError, isFederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';
import { type WindowId, windowId } from '../etl/window';
import { count } from '../federation/count';
import { examineDocument, readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation, GenerationWindow } from '../federation/generation';
import {
  combinedEtlKey,
  combinedEtlPrefix,
  objectKey,
  parseEtlKey,
  publishedKey,
} from '../federation/layout';
import { type Published, type PublishedWindow, publishingSteps } from '../federation/published';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import type { FederationDependencies } from './federation-dependencies';
import { listGenerations, newestGenerationNumber, readNewestGeneration } from './read-generations';

export interface PublishResult {
  /** Number of the published generation; 0 if there is none. */
  readonly generation: number;
  readonly copied: number;
  readonly deleted: number;
  readonly unchanged: number;
}

export type PublishGeneration = () => Promise<PublishResult>;

export type PublishDependencies = Pick<FederationDependencies, 'bucket' | 'log' | 'heartbeat' | 'signal'>;

/** Number of files copied at once. It can be high because the store does the copying. */
const concurrentCopies = 16;

/**
 * Creates the activity that makes the files under `combined/etl/bingen/` match the newest generation. The store itself
 * copies each file, so readers never see an incomplete one. If a newer generation is committed in the meantime, starts
 * over. Deletes previously published files that the generation does not contain, but no other files.
 *
 * @throws GENERATION_UNREADABLE if an object of the generation is missing or has the wrong size
 */
export function createPublishGeneration(deps: PublishDependencies): PublishGeneration {
  const { bucket, log } = deps;
  return async () => {
    const options = { signal: deps.signal() };
    for (let total = { copied: 0, deleted: 0 }; ;) {
      const generation = await readNewestGeneration(bucket, options);
      if (generation === undefined) return { generation: 0, ...total, unchanged: 0 };
      const done = await publish(deps, generation, options);
      total = { copied: total.copied + done.copied, deleted: total.deleted + done.deleted };
      if ((await newestGenerationNumber(bucket, options)) !== generation.generation) continue;
      const result = { generation: generation.generation, ...total, unchanged: done.unchanged };
      log.info(
        { event: 'generation.published', ...result },
        `Federator published generation ${result.generation}: ${count(total.copied, 'file')} written, ` +
          `${total.deleted} deleted, ${result.unchanged} unchanged`,
      );
      return result;
    }
  };
}

async function publish(
  deps: PublishDependencies,
  { generation, windows }: Generation,
  options: CallOptions,
): Promise<Omit<PublishResult, 'generation'>> {
  const { bucket, heartbeat } = deps;
  const document = documents.published.at();
  const there = await listPublished(bucket, options);
  const { value, damage } = await examineDocument(bucket, document, options);
  // When the first generation is published, it is normal that there is no record yet.
  const isLost = damage !== undefined || (value === undefined && generation > 1);
  if (isLost) logLost(deps, damage?.detail ?? 'The object is gone.');
  const published = isLost ? await recoverPublished(bucket, options) : value;
  const { copy, remove, unchanged } = publishingSteps(published, there, { windows });
  const record = new Map<string, PublishedWindow>(Object.entries(published?.windows ?? {}));
  const write = (of: number) => {
    const value: Published = { format: 1, generation: of, windows: Object.fromEntries(record) };
    return replaceDocument(bucket, document, value, options);
  };
  // Record new files before writing them, so that after an interruption, the next run recognizes them as published.
  const added = copy.filter((window) => !record.has(window));
  for (const window of added) record.set(window, { ...named(windows, window), version: '' });
  if (added.length > 0) await write(published?.generation ?? 0);
  let done = 0;
  await mapConcurrently(copy, concurrentCopies, async (window) => {
    const { fingerprint, digest, size } = named(windows, window);
    const version = await copyObject(bucket, fingerprint, size, window, options);
    record.set(window, { fingerprint, digest, version });
    heartbeat({ copied: ++done, of: copy.length });
  });
  await mapConcurrently(remove, concurrentCopies, async (window) => {
    await bucket.delete(combinedEtlKey(window), options);
    record.delete(window);
  });
  if (copy.length + remove.length > 0 || published?.generation !== generation) await write(generation);
  return { copied: copy.length, deleted: remove.length, unchanged: unchanged.length };
}

/**
 * Returns a replacement for a lost record of the published files. The replacement lists every window of every
 * generation that can be read, so that previously published files are recognized. The versions of these files are
 * unknown, so each file is copied again.
 */
async function recoverPublished(bucket: Bucket, options: CallOptions): Promise<Published> {
  const windows: Published['windows'] = {};
  for (const { generation: number } of await listGenerations(bucket, options)) {
    const found = await readIntact(bucket, documents.generation.at(number), options);
    for (const [window, { fingerprint, digest }] of Object.entries(found?.windows ?? {}))
      windows[window] = { fingerprint, digest, version: '' };
  }
  return { format: 1, generation: 0, windows };
}

function logLost({ log }: PublishDependencies, why: string): void {
  log.warn(
    { event: 'generation.published-record-lost', key: publishedKey },
    `Federator publishes every window again, as the record of what it published cannot be read: ${why}`,
  );
}

function named(windows: Generation['windows'], window: string): GenerationWindow {
  const found = ownValue(windows, window);
  if (found === undefined) throw new TypeError(`The generation has no window ${window}.`);
  return found;
}

async function listPublished(bucket: BucketReader, options: CallOptions): Promise<Map<string, string>> {
  const there = new Map<string, string>();
  for await (const entry of bucket.list(combinedEtlPrefix, options)) {
    const file = entry.kind === 'object' ? parseEtlKey(combinedEtlPrefix, entry.key) : undefined;
    if (entry.kind !== 'object' || file === undefined) continue;
    const id = windowId(file.ref);
    if (entry.key === combinedEtlKey(id)) there.set(id, entry.version);
  }
  return there;
}

async function copyObject(
  bucket: Bucket,
  fingerprint: string,
  size: number,
  window: WindowId,
  options: CallOptions,
): Promise<string> {
  const from = objectKey(fingerprint);
  const unreadable = (detail: string, cause?: unknown) =>
    new FederationError('GENERATION_UNREADABLE', { subject: { window, key: from }, detail, cause });
  try {
    const copied = await bucket.copy(from, combinedEtlKey(window), options);
    if (copied.size === size) return copied.version;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_NOT_FOUND')) throw unreadable('A merged window is gone.', error);
    throw error;
  }
  throw unreadable('A merged window does not have its original size.');
}
