import { mapConcurrently } from '../concurrency/map-concurrently';
import { describeError, FederationError } from '../errors/federation-error';
import { createDocument, requireDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type Generation, quarantinedOfIncluded } from '../federation/generation';
import { objectKey } from '../federation/layout';
import { sameMembership } from '../federation/membership';
import { nextGeneration, sameGeneration } from '../federation/next-generation';
import type { PlanHead, WindowResult } from '../federation/plan-document';
import { shorten } from '../federation/run';
import type { Bucket, CallOptions } from '../storage/bucket';
import type { FederationDependencies } from './federation-dependencies';
import { findFinished } from './finished-object';
import { writeFullListing } from './full-listing';
import { count } from './log-plan';
import { readHead } from './plan-objects';
import { listGenerations, newestGenerationNumber, readGeneration } from './read-generations';

export interface CommitGenerationInput {
  readonly run: string;
  readonly attempt: number;
}

/** The state of the bucket after a commit, or after a run that had nothing to commit. */
export interface CommittedGeneration {
  readonly status: 'committed' | 'unchanged';
  /** Number of the newest generation. */
  readonly generation: number;
  /** Number of windows in the newest generation. */
  readonly windows: number;
  readonly clusters: number;
  /** Number of windows that the previous generation had and the newest one no longer has. */
  readonly removed: number;
  /** Ids of the clusters that the roster excludes; if there are many, only the first of them. */
  readonly exclusions: string[];
  /** Number of quarantined sources of included clusters. Unless it is 0, runs end `partial`. */
  readonly quarantined: number;
  /** Ids of the included clusters that have quarantined sources; if there are many, only the first of them. */
  readonly degraded: string[];
}

export type CommitResult =
  | CommittedGeneration
  /** Something has changed since the plan was made. The run has to plan again, as its next attempt. */
  | { readonly status: 'replan'; readonly why: string };

export type CommitGeneration = (input: CommitGenerationInput) => Promise<CommitResult>;

export type CommitDependencies = Pick<
  FederationDependencies,
  'bucket' | 'scope' | 'exclusions' | 'log' | 'now' | 'heartbeat' | 'signal'
>;

const concurrentChecks = 16;

/**
 * Commits the merged windows of a run as the newest generation, by creating one object that must not exist yet. Commits
 * only if the plan's base is still the newest generation, the membership has not changed since the plan, and every
 * object that the generation adds exists. If an earlier call has committed, or the create succeeded although it
 * returned an error, recognizes the run's own generation by the run id in it.
 *
 * @throws STORAGE_NOT_FOUND if the plan, an outcome or a merged object is missing; any other error of the store
 */
export function createCommitGeneration(deps: CommitDependencies): CommitGeneration {
  return async ({ run, attempt }) => {
    const options = { signal: deps.signal() };
    const head = await readHead(deps.bucket, run, attempt, options);
    const result = await commitPlan(deps, head, options);
    if (result.status !== 'replan') await remember(deps, head, result.generation, options);
    return result;
  };
}

async function commitPlan(
  deps: CommitDependencies,
  head: PlanHead,
  options: CallOptions,
): Promise<CommitResult> {
  const { bucket } = deps;
  const { run } = head;
  const number = head.base + 1;
  const base = head.base === 0 ? undefined : await readGeneration(bucket, head.base, options);
  const newest = await newestGenerationNumber(bucket, options);
  if (newest !== head.base) {
    const settled = newest > head.base ? await readGeneration(bucket, number, options) : undefined;
    if (settled?.run === run) return describeCommit(deps, settled, base);
    return {
      status: 'replan',
      why: `generation ${newest} is the newest, but the plan was made from generation ${head.base}`,
    };
  }
  const rules = { scope: deps.scope, exclusions: await deps.exclusions() };
  if (!sameMembership(head.membership, rules)) {
    return { status: 'replan', why: 'the membership changed since the plan was made' };
  }
  const results = await readResults(bucket, head, options);
  if (results === undefined) return { status: 'replan', why: 'the merged windows are not the planned ones' };
  await checkObjects(deps, results, base, options);
  const next = nextGeneration({ base, plan: head, results, run, now: deps.now() });
  if (base !== undefined && sameGeneration(base, next)) return summarize('unchanged', base, base);
  return commit(deps, next, base, options);
}

/**
 * Records the full listing, now that a generation includes what it found. Later runs can then skip older windows. A
 * failure is only logged: without the record, the next run lists everything again.
 */
async function remember(
  { bucket, log }: CommitDependencies,
  { run, fullListing }: PlanHead,
  generation: number,
  options: CallOptions,
): Promise<void> {
  if (fullListing === undefined) return;
  await writeFullListing(bucket, fullListing, generation, options).catch((error: unknown) =>
    log.warn(
      { event: 'federation.listing-forgotten', run, generation },
      `Federator could not record its full listing, so the next run lists everything again: ${describeError(error)}`,
    ),
  );
}

async function commit(
  deps: CommitDependencies,
  next: Generation,
  base: Generation | undefined,
  options: CallOptions,
): Promise<CommitResult> {
  const { bucket } = deps;
  // Do not rely on the response: even after an error, the object may have been created. The object that exists
  // afterwards shows which run won.
  const created = await createDocument(bucket, documents.generation.at(next.generation), next, options).catch(
    asError,
  );
  if (created !== true) {
    const existing = await readGeneration(bucket, next.generation, options);
    if (existing === undefined && created instanceof Error) throw created;
    if (existing?.run !== next.run) {
      return {
        status: 'replan',
        why: `${existing?.run ?? 'another run'} committed generation ${next.generation}`,
      };
    }
  }
  // This process may have been suspended for so long that others committed this number and higher ones, and the
  // clean-up deleted this number again. The create then succeeded, but a higher generation existed already, and nobody
  // would ever read the one just created. A higher generation that was created later does not matter: it was made from
  // the one just created.
  const listed = await listGenerations(bucket, options);
  const own = listed.find(({ generation }) => generation === next.generation);
  const overtaking = listed.find(
    ({ generation, modified }) =>
      generation > next.generation && (own === undefined || modified < own.modified),
  );
  if (overtaking !== undefined) {
    return { status: 'replan', why: `generation ${overtaking.generation} existed already` };
  }
  return describeCommit(deps, next, base);
}

/** Reads the result of every planned window; returns undefined if the recorded outcomes do not belong to this plan. */
async function readResults(
  bucket: Bucket,
  head: PlanHead,
  options: CallOptions,
): Promise<WindowResult[] | undefined> {
  const results: WindowResult[] = [];
  for (const [shard, planned] of head.shards.entries()) {
    const document = documents.shardOutcome.at(head.run, head.attempt, shard);
    const { windows } = await requireDocument(bucket, document, options);
    const merged = windows.map((result) => result.window);
    if ([...merged].sort().join() !== [...planned].sort().join()) return undefined;
    results.push(...windows);
  }
  return results;
}

/**
 * Throws unless every object that the generation adds is finished and has the digest and size of the merge's result.
 */
async function checkObjects(
  { bucket, heartbeat }: CommitDependencies,
  results: readonly WindowResult[],
  base: Generation | undefined,
  options: CallOptions,
): Promise<void> {
  let checked = 0;
  await mapConcurrently(results, concurrentChecks, async ({ window, merged }) => {
    if (merged === undefined || base?.windows[window]?.fingerprint === merged.fingerprint) return;
    const finished = await findFinished(bucket, merged.fingerprint, options);
    if (finished?.digest !== merged.digest || finished.size !== merged.size) {
      throw new FederationError('STORAGE_NOT_FOUND', {
        subject: { window, key: objectKey(merged.fingerprint) },
        detail: 'A merged window no longer exists, or its object is not the one that was merged.',
      });
    }
    heartbeat({ checked: ++checked, of: results.length });
  });
}

function describeCommit(
  { log }: CommitDependencies,
  next: Generation,
  base: Generation | undefined,
): CommittedGeneration {
  const summary = summarize('committed', next, base);
  const { generation, windows, clusters, removed, quarantined } = summary;
  const changed = Object.entries(next.windows).filter(
    ([window, { fingerprint }]) => base?.windows[window]?.fingerprint !== fingerprint,
  ).length;
  log.info(
    {
      event: 'generation.committed',
      run: next.run,
      generation,
      windows,
      changed,
      removed,
      clusters,
      quarantined,
    },
    `Federator committed generation ${generation}: ${count(windows, 'window')} of ${count(clusters, 'cluster')}, ` +
      `${changed} changed, ${removed} removed, ${quarantined} quarantined`,
  );
  return summary;
}

function summarize(
  status: CommittedGeneration['status'],
  generation: Generation,
  base: Generation | undefined,
): CommittedGeneration {
  const quarantined = quarantinedOfIncluded(generation);
  const windows = Object.keys(generation.windows);
  return {
    status,
    generation: generation.generation,
    windows: windows.length,
    clusters: generation.membership.clusters.length,
    removed: Object.keys(base?.windows ?? {}).filter((window) => generation.windows[window] === undefined)
      .length,
    exclusions: shorten(Object.keys(generation.membership.exclusions), 500, 8_000).ids,
    quarantined: quarantined.length,
    degraded: shorten([...new Set(quarantined.map((source) => source.cluster))]).ids,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
