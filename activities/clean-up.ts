import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';
import { describeDamagedGeneration } from '../federation/damaged-generation';
import { type Damage, examineDocument, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import {
  generationKey,
  keptKey,
  keptPrefix,
  objectKey,
  objectsPrefix,
  parseObjectKey,
  parseRunKey,
  provenanceKey,
  runsPrefix,
} from '../federation/layout';
import { type AgedObject, day, generationsToKeep, unreferencedObjects } from '../federation/retention';
import type { CallOptions, ObjectInfo } from '../storage/bucket';
import type { FederationDependencies } from './federation-dependencies';
import { readHeldBack } from './plan-base';
import { listGenerations } from './read-generations';

export interface CleanUpResult {
  /** Number of deleted generations. */
  readonly generations: number;
  readonly objects: number;
  readonly kept: number;
  /**
   * Number of deleted files that belonged to runs. A run's request and report are kept for 30 days, its other files for
   * two days.
   */
  readonly runs: number;
  /**
   * Number of objects that are no longer referenced but not deleted yet. A clean-up deletes an object only if another
   * clean-up, at least a day earlier, already found it unreferenced.
   */
  readonly waiting: number;
}

export type CleanUp = () => Promise<CleanUpResult>;

export type CleanUpDependencies = Pick<
  FederationDependencies,
  'bucket' | 'log' | 'heartbeat' | 'signal' | 'generations'
>;

const concurrentCalls = 16;
/** How long a run's working files are kept, in milliseconds. Only the run itself reads these files. */
const workingFilesFor = 2 * day;
export const runsFor = 30 * day;

/**
 * Deletes objects that are no longer needed:
 * - generations past their retention;
 * - merged objects, and the contributions stored under `kept/`, if two clean-ups at least a day apart find that no
 *   remaining generation refers to them;
 * - old files of runs.
 *
 * All ages are measured by the store's clock. Throws if a generation that is kept cannot be read: it might refer to
 * objects that look unused.
 */
export function createCleanUp(deps: CleanUpDependencies): CleanUp {
  const { bucket, log } = deps;
  return async () => {
    const options = { signal: deps.signal() };
    const document = documents.unreferenced.at();
    const { value, damage } = await examineDocument(bucket, document, options);
    if (damage !== undefined) {
      log.warn(
        { event: 'clean-up.record-lost', key: damage.key },
        `Federator starts to count again how long objects are unreferenced, as the record of it cannot be read: ${damage.detail}`,
      );
    }
    const passed = value?.seen ?? {};
    // Rewrite the document unchanged. Its new modification time is the current time by the store's clock.
    const { modified: now } = await replaceDocument(bucket, document, { format: 1, seen: passed }, options);
    const runs = await cleanUpRuns(deps, now, options);
    // List the objects before reading the generations. A generation that is committed between the two steps is then
    // read too, so its objects are kept. If a generation is committed even later, its objects are kept because they are
    // less than a day old.
    const objects = await listAged(deps, objectsPrefix, options);
    const kept = await listAged(deps, keptPrefix, options);
    const { generations, removed } = await keepGenerations(deps, now, options);
    const named = namedKeys(generations);
    const { remove, seen } = unreferencedObjects({
      objects: [...byFingerprint(objects), ...kept],
      isReferenced: (key) => named.has(key),
      seen: passed,
      now,
    });
    const spared = await deleteUnlessTouched(deps, remove, now, options);
    for (const key of spared) seen[key] = ownValue(passed, key) ?? now.toISOString();
    await replaceDocument(bucket, document, { format: 1, seen }, options);
    const keptRemoved = remove.filter((key) => key.startsWith(keptPrefix) && !spared.has(key)).length;
    const result: CleanUpResult = {
      generations: removed,
      objects: remove.length - spared.size - keptRemoved,
      kept: keptRemoved,
      runs,
      waiting: Object.keys(seen).length,
    };
    const total = result.generations + result.objects + result.kept + result.runs;
    log[total > 0 ? 'info' : 'debug'](
      { event: 'clean-up.done', ...result },
      `Federator cleaned up ${result.generations} generations, ${result.objects} merged windows, ${result.runs} objects of runs`,
    );
    return result;
  };
}

/**
 * Deletes the generations that are past their retention. Reads and returns the remaining ones.
 *
 * @throws GENERATION_UNREADABLE if a remaining generation is damaged. In that case, no generation, merged object or
 *   contribution is deleted, because the damaged generation may need objects that look unused.
 */
async function keepGenerations(
  { bucket, generations: atLeast, heartbeat }: CleanUpDependencies,
  now: Date,
  options: CallOptions,
): Promise<{ generations: Generation[]; removed: number }> {
  const listed = await listGenerations(bucket, options);
  const newest = listed.at(-1);
  if (newest === undefined) return { generations: [], removed: 0 };
  const damaged = new Map<number, Damage>();
  const read = async (number: number) => {
    const { value, damage } = await examineDocument(bucket, documents.generation.at(number), options);
    if (damage !== undefined) damaged.set(number, damage);
    return value;
  };
  const current = await read(newest.generation);
  const { excluded = {}, removed = {} } = current?.membership ?? {};
  const held = new Set(current?.hold && [current.hold.generation]);
  if (current !== undefined)
    for (const { generation } of await readHeldBack(bucket, current, options)) held.add(generation);
  const keep = generationsToKeep({ generations: listed, excluded, removed, held, atLeast, now });
  const kept = await mapConcurrently(keep, concurrentCalls, async (number) => {
    heartbeat({ generation: number });
    return read(number);
  });
  if (damaged.size > 0) throw stopsCleanUp(damaged);
  const outdated = listed.filter(({ generation }) => !keep.has(generation));
  await mapConcurrently(outdated, concurrentCalls, ({ generation }) =>
    bucket.delete(generationKey(generation), options),
  );
  return { generations: kept.filter((generation) => generation !== undefined), removed: outdated.length };
}

function stopsCleanUp(damaged: ReadonlyMap<number, Damage>): FederationError {
  const which = [...damaged].map(([generation, damage]) =>
    describeDamagedGeneration({ generation, ...damage }),
  );
  return new FederationError('GENERATION_UNREADABLE', {
    subject: { key: [...damaged.values()][0]?.key },
    detail: `${which.join(' ')} Nothing is deleted, as only a damaged generation may name what looks unused. Put it back from the store’s older versions; or delete it once a newer generation can be read.`,
  });
}

function namedKeys(generations: readonly Generation[]): Set<string> {
  const named = new Set<string>();
  for (const { windows, quarantined } of generations) {
    for (const { fingerprint } of Object.values(windows)) named.add(objectKey(fingerprint));
    for (const source of quarantined) {
      if (source.kept !== undefined) named.add(keptKey(source.cluster, source.window));
    }
  }
  return named;
}

/** Combines each merged object and its provenance file into one entry. The entry is as old as the younger file. */
function byFingerprint(objects: readonly ObjectInfo[]): AgedObject[] {
  const youngest = new Map<string, Date>();
  for (const { key, modified } of objects) {
    const object = parseObjectKey(key);
    if (object === undefined) continue;
    const name = objectKey(object.fingerprint);
    const other = youngest.get(name);
    if (other === undefined || other < modified) youngest.set(name, modified);
  }
  return [...youngest].map(([key, modified]) => ({ key, modified }));
}

/**
 * Looks up each object again and deletes it, unless it was written within the last day. Returns the keys of the objects
 * that were not deleted.
 */
async function deleteUnlessTouched(
  { bucket, heartbeat }: CleanUpDependencies,
  keys: readonly string[],
  now: Date,
  options: CallOptions,
): Promise<Set<string>> {
  const spared = new Set<string>();
  let done = 0;
  await mapConcurrently(keys, concurrentCalls, async (key) => {
    const object = parseObjectKey(key);
    // Delete the provenance first: a merged object without provenance is never used.
    const parts = object === undefined ? [key] : [provenanceKey(object.fingerprint), key];
    const heads = await Promise.all(parts.map((part) => bucket.head(part, options)));
    if (heads.some((head) => head !== undefined && now.getTime() - head.modified.getTime() < day))
      spared.add(key);
    else for (const part of parts) await bucket.delete(part, options);
    heartbeat({ deleted: ++done, of: keys.length });
  });
  return spared;
}

/**
 * Deletes the files of old runs. A run is as old as its youngest file. The request and the report are kept longer than
 * the other files.
 */
async function cleanUpRuns(deps: CleanUpDependencies, now: Date, options: CallOptions): Promise<number> {
  const objects = await listAged(deps, runsPrefix, options);
  const lastWritten = new Map<string, number>();
  for (const { key, modified } of objects) {
    const run = parseRunKey(key)?.run ?? '';
    lastWritten.set(run, Math.max(lastWritten.get(run) ?? 0, modified.getTime()));
  }
  const outdated = objects.filter(({ key }) => {
    const parsed = parseRunKey(key);
    if (parsed === undefined) return false;
    const age = now.getTime() - (lastWritten.get(parsed.run) ?? now.getTime());
    const lasting = parsed.file === 'request.json' || parsed.file === 'report.json';
    return age > (lasting ? runsFor : workingFilesFor);
  });
  await mapConcurrently(outdated, concurrentCalls, ({ key }) => deps.bucket.delete(key, options));
  return outdated.length;
}

async function listAged({ bucket, heartbeat }: CleanUpDependencies, prefix: string, options: CallOptions) {
  const found: ObjectInfo[] = [];
  for await (const entry of bucket.list(prefix, options)) {
    if (entry.kind === 'object') found.push(entry);
    if (found.length % 1_000 === 0) heartbeat({ listed: found.length });
  }
  return found;
}
