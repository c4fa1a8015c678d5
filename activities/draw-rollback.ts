import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError } from '../errors/federation-error';
import { readIntact } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import { objectKey, objectsPrefix, provenanceKey } from '../federation/layout';
import type { Membership } from '../federation/membership';
import { namesAtRollback } from '../federation/plan-names';
import type { Provenance } from '../federation/provenance';
import { planRollback, rollbackMembers } from '../federation/rollback';
import { decidedBy, type FederationRequest, shorten } from '../federation/run';
import type { BucketReader, CallOptions } from '../storage/bucket';
import type { DrawnPlan } from './drawn-plan';
import type { Identified } from './identify-federation';
import type { PlanBase } from './plan-base';

const concurrentReads = 16;

export interface DrawRollbackInput {
  readonly start: PlanBase & Required<Pick<PlanBase, 'base' | 'current'>>;
  /** The current membership. `clusters` also includes the clusters that are only in the generation to roll back to. */
  readonly today: Membership;
  readonly request: FederationRequest;
  readonly onProgress?: (done: number, of: number) => void;
}

/**
 * Plans a rollback to the generation `start.base`, and checks that the bucket still has all of its objects.
 *
 * @throws ROLLBACK_IMPOSSIBLE if an object, or a provenance that the rollback needs, is missing
 */
export async function drawRollback(
  bucket: BucketReader,
  { start: { base: target, current, newest, replaces }, today, request, onProgress }: DrawRollbackInput,
  options: CallOptions,
): Promise<Omit<DrawnPlan, keyof Identified>> {
  const { membership, out, lacking } = rollbackMembers(target, today);
  await requireObjects(bucket, target, options);
  const provenance =
    out.length === 0
      ? new Map<string, Provenance>()
      : await readProvenance(bucket, target, (done, of) => onProgress?.(done, of), options);
  const plan = planRollback({ target, newest: current, membership, out, provenance });
  return {
    ...plan,
    newest,
    ...(replaces && { replaces }),
    hold: { generation: target.generation, ...decidedBy(request) },
    rollback: { committedAt: target.committedAt, out, lacking },
    outcome: 'work',
    membership,
    names: namesAtRollback(target, current, membership),
    baseGeneration: target,
    notices: current.notices,
    writers: current.writers,
    found: [],
    listing: { kind: 'none', why: 'a rollback reads no files of clusters' },
    withoutWindows: [],
    ignored: [],
  };
}

/**
 * Checks that every object of a generation exists with the right size, and has a provenance. Lists all objects, which
 * is cheaper than looking up each one.
 */
async function requireObjects(
  bucket: BucketReader,
  { generation, windows }: Generation,
  options: CallOptions,
): Promise<void> {
  const sizes = new Map<string, number>();
  for await (const entry of bucket.list(objectsPrefix, options))
    if (entry.kind === 'object') sizes.set(entry.key, entry.size);
  const missing = Object.values(windows).flatMap(({ fingerprint, size }) => {
    const [object, provenance] = [objectKey(fingerprint), provenanceKey(fingerprint)];
    return [...(sizes.get(object) === size ? [] : [object]), ...(sizes.has(provenance) ? [] : [provenance])];
  });
  refuseIfMissing(generation, missing);
}

/** Reads the provenance of every window of a generation, by window id. */
async function readProvenance(
  bucket: BucketReader,
  { generation, windows }: Generation,
  onProgress: (done: number, of: number) => void,
  options: CallOptions,
): Promise<Map<string, Provenance>> {
  const found = new Map<string, Provenance>();
  const missing: string[] = [];
  const named = Object.entries(windows);
  let done = 0;
  await mapConcurrently(named, concurrentReads, async ([window, { fingerprint }]) => {
    const document = documents.provenance.at(fingerprint);
    const provenance = await readIntact(bucket, document, options);
    if (provenance?.fingerprint === fingerprint) found.set(window, provenance);
    else missing.push(document.key);
    onProgress(++done, named.length);
  });
  refuseIfMissing(generation, missing.sort());
  return found;
}

function refuseIfMissing(generation: number, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const { count, ids } = shorten(missing, 5);
  const more = count > ids.length ? ` and ${count - ids.length} more` : '';
  throw new FederationError('ROLLBACK_IMPOSSIBLE', {
    subject: { key: missing[0] },
    detail: `Of generation ${generation}, these objects are gone or damaged: ${ids.join(', ')}${more}.`,
  });
}
