import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CleanUpResult, createCleanUp } from '../../activities/clean-up';
import { type CommitResult, createCommitGeneration } from '../../activities/commit-generation';
import { createDescribeShard } from '../../activities/describe-shard';
import type { FederationDependencies } from '../../activities/federation-dependencies';
import { createMergeWindow, type MergeOutcome } from '../../activities/merge-window';
import { createPlanFederation, type PlanSummary } from '../../activities/plan-federation';
import { createPublishGeneration } from '../../activities/publish-generation';
import { readNewestGeneration } from '../../activities/read-generations';
import { createRecordRequest } from '../../activities/record-request';
import { createRecordShard } from '../../activities/record-shard';
import { type MergeThreads, startMergeThreads } from '../../activities/threads/merge-threads';
import { type Log, silentLog } from '../../config/log';
import { programVersion } from '../../config/program-version';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import type { Generation } from '../../federation/generation';
import type { GenerationIdentity } from '../../federation/identity';
import { clusterEtlKey, keptKey, objectKey } from '../../federation/layout';
import type { Exclusion, FollowedGeneration, Scope } from '../../federation/membership';
import type { FederationRequest } from '../../federation/run';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { readAll } from '../../storage/read-all';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';

export const golden = resolve(__dirname, '../golden');
/** Number of golden windows: three daily and four hourly windows for each of the two pipelines. */
export const goldenWindows = 14;
export const firstDay = 'allocations/1d/1794614400-1794700800' as WindowId;
export const secondDay = 'allocations/1d/1794700800-1794787200' as WindowId;

/**
 * Starts merge threads for all tests of a file. Ends the threads after the tests, and removes all temporary folders.
 */
export function testMergeThreads(): MergeThreads {
  const threads = startMergeThreads({ threads: 2 });
  afterAll(async () => {
    await threads.close();
    await removeTemporaryFolders();
  });
  return threads;
}

/**
 * Creates a bucket in a temporary folder. It contains the golden files of five clusters, or nothing if `empty` is true.
 */
export function federatedBucket({ empty = false } = {}): Bucket {
  const directory = temporaryFolder();
  if (!empty) cpSync(join(golden, 'bucket'), directory, { recursive: true });
  return openFilesystem({ directory });
}

/**
 * Same as `federatedBucket`, but only with the allocations of three days. Use this bucket if it is enough for a test,
 * because merging it is much faster.
 */
export function smallBucket(): Bucket {
  const directory = temporaryFolder();
  for (const cluster of readdirSync(join(golden, 'bucket/federated'))) {
    const folder = join('federated', cluster, 'etl/bingen/allocations/1d');
    cpSync(join(golden, 'bucket', folder), join(directory, folder), { recursive: true });
  }
  return openFilesystem({ directory });
}

export interface TestFederatorOptions {
  readonly id?: string;
  readonly scope?: Scope;
  readonly generations?: number;
  readonly log?: Log;
}

/** Results of the activities of a run. `commit` is undefined if the run ended before the commit. */
export interface TestRun {
  readonly plan: PlanSummary;
  readonly outcomes: MergeOutcome[];
  readonly commit?: CommitResult;
}

/** Runs federations on a bucket by calling their activities directly, in the same order as the workflows. */
export class TestFederator {
  exclusions: Record<string, Exclusion> = {};
  /** Id of the roster that gives the federator its exclusions. */
  roster = 'roster-1';
  follows?: FollowedGeneration;
  /** The newest generation that the roster knows. */
  known?: GenerationIdentity;
  readonly deps: FederationDependencies;
  private runs = 0;

  constructor(
    readonly bucket: Bucket,
    threads: MergeThreads,
    {
      id = 'cluster-4',
      scope = { exclude: [] },
      generations = 10,
      log = silentLog,
    }: TestFederatorOptions = {},
  ) {
    this.deps = {
      bucket,
      federator: id,
      scope,
      roster: async () => ({
        exclusions: this.exclusions,
        roster: this.roster,
        follows: this.follows,
        known: this.known,
      }),
      log,
      now: () => new Date(),
      heartbeat: () => undefined,
      signal: () => new AbortController().signal,
      generations,
      shrinkage: { closedAfter: 48 * 3_600, shrinkage: 0.5 },
      program: programVersion(),
      threads,
      storeWarnings: async () => [],
    };
  }

  /**
   * Calls all activities that precede the commit. The bucket is then in the same state as if the run had been killed
   * before the commit.
   */
  async prepare(request: Partial<FederationRequest> = {}, run = this.nextRun(), attempt = 1) {
    const asked: FederationRequest = { trigger: 'person', at: '2026-11-20T00:00:00.000Z', ...request };
    await createRecordRequest(this.deps)({ run, request: asked });
    const plan = await createPlanFederation(this.deps)({ run, attempt, request: asked });
    const outcomes: MergeOutcome[] = [];
    const mergeWindow = createMergeWindow(this.deps);
    for (let shard = 0; shard < plan.shards; shard++) {
      const { windows } = await createDescribeShard(this.deps)({ run, attempt, shard });
      const merged = await Promise.all(
        windows.map(({ index }) => mergeWindow({ run, attempt, shard, index })),
      );
      await createRecordShard(this.deps)({ run, attempt, shard, outcomes: merged });
      outcomes.push(...merged);
    }
    return { run, attempt, plan, outcomes };
  }

  commit(run: string, attempt = 1): Promise<CommitResult> {
    return createCommitGeneration(this.deps)({ run, attempt });
  }

  /** Calls all activities of a federation, including the commit and the publishing of the files. */
  async federate(request: Partial<FederationRequest> = {}): Promise<TestRun> {
    const { run, plan, outcomes } = await this.prepare(request);
    if (plan.outcome !== 'work' && plan.outcome !== 'nothing-changed') return { plan, outcomes };
    const commit = await this.commit(run);
    await this.publish();
    return { plan, outcomes, commit };
  }

  /** Like `federate`, but plans again until the run commits, as the workflow does. Returns the last attempt. */
  async federateToEnd(request: Partial<FederationRequest> = {}): Promise<TestRun & { attempts: number }> {
    const run = this.nextRun();
    for (let attempt = 1; attempt <= 5; attempt++) {
      const { plan, outcomes } = await this.prepare(request, run, attempt);
      const commit = await this.commit(run, attempt);
      if (commit.status === 'replan') continue;
      await this.publish();
      return { plan, outcomes, commit, attempts: attempt };
    }
    throw new Error(`${run} has planned five times.`);
  }

  publish() {
    return createPublishGeneration(this.deps)();
  }

  cleanUp(): Promise<CleanUpResult> {
    return createCleanUp(this.deps)();
  }

  async newest(): Promise<Generation> {
    const generation = await readNewestGeneration(this.bucket);
    if (generation === undefined) throw new Error('Nothing was committed.');
    return generation;
  }

  /** Returns the merged file of a window in the newest generation. */
  async merged(window: string): Promise<Buffer> {
    const found = (await this.newest()).windows[window];
    if (found === undefined) throw new Error(`The newest generation has no ${window}.`);
    return (await readAll(this.bucket, objectKey(found.fingerprint))).bytes;
  }

  private nextRun(): string {
    return `run-${this.deps.federator}-${++this.runs}`;
  }
}

export function sourceKey(cluster: string, window: string): string {
  return clusterEtlKey(clusterId(cluster), window);
}

export function keptFile(cluster: string, window: string): string {
  return keptKey(clusterId(cluster), window as WindowId);
}

/** Returns the golden file that a cluster contributes to a window. */
export function goldenSource(cluster: string, window: string): Buffer {
  return readFileSync(join(golden, 'bucket', sourceKey(cluster, window)));
}

/**
 * Returns the golden file of a cluster with the name of another cluster in its records. Both names must have the same
 * length, because the file contains the lengths of its strings.
 */
export function renamedSource(cluster: string, window: string, name: string): Buffer {
  const text = goldenSource(cluster, window).toString('latin1');
  return Buffer.from(text.replaceAll(cluster, name), 'latin1');
}

/** Returns the versions of all objects below a prefix. The keys of the result are the keys of the objects. */
export async function snapshot(bucket: Bucket, prefix: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of bucket.list(prefix))
    if (entry.kind === 'object') found[entry.key] = entry.version;
  return found;
}

/** Returns a bucket with the methods in `verbs`. Its other methods are those of the given bucket. */
export function overriding(bucket: Bucket, verbs: Partial<Bucket>): Bucket {
  return {
    type: bucket.type,
    label: bucket.label,
    list: bucket.list.bind(bucket),
    head: bucket.head.bind(bucket),
    get: bucket.get.bind(bucket),
    put: bucket.put.bind(bucket),
    create: bucket.create.bind(bucket),
    copy: bucket.copy.bind(bucket),
    delete: bucket.delete.bind(bucket),
    close: bucket.close.bind(bucket),
    ...verbs,
  };
}
