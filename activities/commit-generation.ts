import { mapConcurrently } from '../concurrency/map-concurrently';
import { describeError, FederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';
import { count } from '../federation/count';
import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type Generation, openQuarantined, shrunkSources } from '../federation/generation';
import { type GenerationIdentity, identityOf } from '../federation/identity';
import { objectKey } from '../federation/layout';
import { sameMembership } from '../federation/membership';
import { describeNameConflict, describeNameConflicts } from '../federation/name-conflicts';
import { nextGeneration, sameGeneration } from '../federation/next-generation';
import type { PlanHead, WindowResult } from '../federation/plan-document';
import { shorten } from '../federation/run';
import type { Bucket, CallOptions } from '../storage/bucket';
import type { FederationDependencies } from './federation-dependencies';
import { findFinished } from './finished-object';
import { writeFullListing } from './full-listing';
import { recordFederation } from './identify-federation';
import { readHead, readOwnDocument } from './plan-objects';
import { listGenerations, newestGenerationNumber, readGeneration } from './read-generations';

export interface CommitGenerationInput {
  readonly run: string;
  readonly attempt: number;
}

/** The newest generation after a commit, or after a run that had nothing to commit. */
export interface CommittedGeneration extends GenerationIdentity {
  readonly status: 'committed' | 'unchanged';
  /** Number of windows in the newest generation. */
  readonly windows: number;
  readonly clusters: number;
  /** Number of windows that are in the previous generation but not in the newest one. */
  readonly removed: number;
  /** Ids of the clusters that people have excluded. If there are many, only the first ones. */
  readonly exclusions: string[];
  /**
   * Number of quarantined sources of included clusters, not counting sources that a person has dropped. If it is not
   * 0, the run's outcome is `partial`.
   */
  readonly quarantined: number;
  /** Number of sources that have lost much of their data, but are merged because their windows were not closed yet. */
  readonly shrunk: number;
  /** Ids of the included clusters that have quarantined sources. If there are many, only the first ones. */
  readonly degraded: string[];
  /** Whether the generation is on hold. */
  readonly onHold: boolean;
  /**
   * Sentences about clusters whose records carry other clusters' names, one per cluster. If there are many such
   * clusters, only for the first ones.
   */
  readonly nameConflicts: string[];
}

export type CommitResult =
  | CommittedGeneration
  /** The bucket or the membership has changed since the plan was made, so the run has to plan again. */
  | { readonly status: 'replan'; readonly why: string };

export type CommitGeneration = (input: CommitGenerationInput) => Promise<CommitResult>;

export type CommitDependencies = Pick<
  FederationDependencies,
  'bucket' | 'program' | 'scope' | 'roster' | 'log' | 'now' | 'heartbeat' | 'signal'
>;

const concurrentChecks = 16;

/**
 * Commits the merged windows of a run as the newest generation, by creating one object that must not exist yet.
 *
 * Commits only if:
 * - the generation from which the plan was made is still the newest one;
 * - the membership (the included and excluded clusters) has not changed since the plan was made;
 * - none of the objects that the new generation adds is missing.
 *
 * The call can be repeated: it recognizes, by the run's id, a generation that an earlier call has already committed.
 *
 * @throws PLAN_UNREADABLE if the plan, an outcome or a merged object is missing or damaged; also throws errors of the
 *   store
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
  const { run, number } = head;
  const base = head.base === 0 ? undefined : await readGeneration(bucket, head.base, options);
  if (head.base !== 0 && base === undefined)
    return { status: 'replan', why: `generation ${head.base}, from which the plan was made, was cleaned up` };
  const newest = await newestGenerationNumber(bucket, options);
  if (newest !== head.newest) {
    const settled = newest >= number ? await readGeneration(bucket, number, options) : undefined;
    if (settled?.run === run) return describeCommit(deps, settled, base);
    return {
      status: 'replan',
      why: `generation ${newest} is the newest, but it was generation ${head.newest} when the plan was made`,
    };
  }
  const { roster, exclusions } = await deps.roster();
  // Plan again even if only the roster has been replaced since the plan was made, because conflicts between federators
  // are detected only during planning.
  if (
    roster !== head.membership.roster ||
    !sameMembership(head.membership, { scope: deps.scope, exclusions })
  ) {
    return { status: 'replan', why: 'the membership changed since the plan was made' };
  }
  const results = await readResults(bucket, head, options);
  if (results === undefined) return { status: 'replan', why: 'the merged windows are not the planned ones' };
  await checkObjects(deps, results, base, options);
  const next = nextGeneration({ base, plan: head, results, run, program: deps.program, now: deps.now() });
  const [unplanned] = Object.entries(next.nameConflicts).filter(
    ([cluster]) => !Object.hasOwn(head.nameConflicts, cluster),
  );
  // The plan did not know of this name conflict, so the cluster's files were merged. The next attempt does, and
  // quarantines them.
  if (unplanned !== undefined) return { status: 'replan', why: describeNameConflict(...unplanned) };
  const by = { createdAt: next.committedAt, federator: next.membership.federator };
  if (!(await recordFederation(bucket, head, by, options)))
    return { status: 'replan', why: 'another federator began the federation' };
  if (base !== undefined && sameGeneration(base, next)) return summarize('unchanged', base, base);
  return commit(deps, next, base, options);
}

/**
 * Records the full listing of the bucket, now that a generation contains everything that the listing found. The record
 * lets later runs skip older windows. Errors are only logged: without the record, the next run lists everything again.
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
  // The call may fail even though the object was created. So if it fails, read the object to see which run created it.
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
  // Check whether a later generation already existed. If so, this commit has no effect, because only the newest
  // generation is read. This can happen only if the process was suspended: meanwhile, another run committed a
  // generation with this number, and the clean-up deleted it. Ignore later generations that were created after this
  // commit, because they are based on it.
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

/** Reads the result of every planned window. Returns undefined if the recorded results belong to a different plan. */
async function readResults(
  bucket: Bucket,
  head: PlanHead,
  options: CallOptions,
): Promise<WindowResult[] | undefined> {
  const results: WindowResult[] = [];
  for (const [shard, planned] of head.shards.entries()) {
    const document = documents.shardOutcome.at(head.run, head.attempt, shard);
    const { windows } = await readOwnDocument(bucket, document, options);
    const merged = windows.map((result) => result.window);
    if ([...merged].sort().join() !== [...planned].sort().join()) return undefined;
    results.push(...windows);
  }
  return results;
}

/**
 * Checks every merged object that the generation adds. Throws if one is missing or unfinished, or differs from the
 * merge's result in digest or size.
 */
async function checkObjects(
  { bucket, heartbeat }: CommitDependencies,
  results: readonly WindowResult[],
  base: Generation | undefined,
  options: CallOptions,
): Promise<void> {
  let checked = 0;
  await mapConcurrently(results, concurrentChecks, async ({ window, merged }) => {
    if (merged === undefined || ownValue(base?.windows, window)?.fingerprint === merged.fingerprint) return;
    const finished = await findFinished(bucket, merged.fingerprint, options);
    if (finished?.digest !== merged.digest || finished.size !== merged.size) {
      throw new FederationError('PLAN_UNREADABLE', {
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
  const { generation, windows, clusters, removed, quarantined, shrunk } = summary;
  const changed = Object.entries(next.windows).filter(
    ([window, { fingerprint }]) => ownValue(base?.windows, window)?.fingerprint !== fingerprint,
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
      shrunk,
    },
    `Federator committed generation ${generation}: ${count(windows, 'window')} of ${count(clusters, 'cluster')}, ` +
      `${changed} changed, ${removed} removed, ${quarantined} quarantined, ${shrunk} shrunk`,
  );
  if (next.hold !== undefined) {
    const { generation: to, by, reason } = next.hold;
    log.warn(
      { event: 'generation.rolled-back', run: next.run, generation, to, by, reason },
      `Federator rolled back to generation ${to}, as ${by} asked. Until \`federated-etl federate --resume\`, runs commit nothing`,
    );
  }
  return summary;
}

function summarize(
  status: CommittedGeneration['status'],
  generation: Generation,
  base: Generation | undefined,
): CommittedGeneration {
  const quarantined = openQuarantined(generation);
  const windows = Object.keys(generation.windows);
  return {
    status,
    ...identityOf(generation),
    windows: windows.length,
    clusters: generation.membership.clusters.length,
    removed: Object.keys(base?.windows ?? {}).filter(
      (window) => ownValue(generation.windows, window) === undefined,
    ).length,
    exclusions: shorten(Object.keys(generation.membership.exclusions), 500, 8_000).ids,
    quarantined: quarantined.length,
    shrunk: shrunkSources(generation).length,
    onHold: generation.hold !== undefined,
    degraded: shorten([...new Set(quarantined.map((source) => source.cluster))]).ids,
    nameConflicts: shorten(describeNameConflicts(generation)).ids,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
