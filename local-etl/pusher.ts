import type { Log } from '../config/log';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import type { Measure } from '../etl/measure';
import type { WrittenBy } from '../etl/set-facts';
import { describeWindow, parseWindowFile, windowId, windowName } from '../etl/window';
import { inventoryMetadata } from '../federation/inventory';
import { clusterEtlKey, clusterEtlPrefix } from '../federation/layout';
import { describeChange } from '../federation/measure';
import { looksWrong } from '../federation/shrinkage';
import type { Bucket, Version } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { echoFault } from './echo';
import { type Facts, FileCache, pushCache, type PushedVersion } from './file-cache';
import { instanceOf, lastStart } from './instance';
import type { LocalFile } from './list';
import { withWindowLock } from './lock';
import { NewestWritten } from './newest-written';
import { addOwnNames, ownNames } from './own-names';
import { primaryState } from './primary';
import { Pulled } from './pulled';
import { judgeContent, memoryToRead, readSteadily, sha256, type SteadyContent } from './read';
import { type LocalEtl, localPath } from './store';

/** Result of pushing a file to the cluster's folder in the bucket. */
export type PushOutcome =
  /** The file's bytes were uploaded. `vanished`: whether the copy of an earlier push was missing from the bucket. */
  | { readonly kind: 'uploaded'; readonly bytes: number; readonly vanished: boolean }
  /** The cluster's folder already has the file's bytes. */
  | { readonly kind: 'unchanged' }
  /** The file was pulled, so it is not this cluster's own. */
  | { readonly kind: 'pulled' }
  /** The file is incomplete, perhaps because it is still being written. */
  | { readonly kind: 'incomplete'; readonly why: string; readonly code?: string }
  /** The file may not be pushed: it may belong to another cluster, or its path is not a valid key. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The operating system refused to read the file. */
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'gone' };
export type PushOutcomeOfBytes = Exclude<PushOutcome, { kind: 'gone' | 'unreadable' }>;

export interface PusherDependencies {
  bucket: Bucket;
  cluster: ClusterId;
  store: LocalEtl;
  log: Log;
  budget: MemoryBudget;
  /** Version of this program. */
  program: string;
  signal: AbortSignal;
  /**
   * Maximum fraction of its records, or of its hours of one resource (such as CPU), that a file may lose since its last
   * push without a warning.
   */
  shrinkage: number;
}

/** The facts about a file's content that are cached once the file is pushed. */
interface PushedContent {
  readonly measure: Measure;
  readonly written: WrittenBy;
}

/** A local file whose content has been read completely. */
interface Content {
  readonly file: LocalFile;
  readonly bytes: Buffer;
  readonly digest: string;
}

/**
 * Uploads local files to the cluster's folder in the bucket. Lists that folder once, and caches facts about local
 * files. So a file that has changed neither locally nor in the bucket is not read and needs no request.
 */
export class Pusher {
  private constructor(
    private readonly deps: PusherDependencies,
    /** Metadata for each pushed file: the id of the volume, and of the last start on it. */
    private readonly origin: Readonly<Record<string, string>>,
    private readonly remote: Map<string, Version>,
    readonly cache: FileCache,
    private readonly newest: NewestWritten,
    private readonly pulled: Pulled,
  ) {}

  static async open(deps: PusherDependencies): Promise<Pusher> {
    const { bucket, cluster, store, signal } = deps;
    const cache = await FileCache.open(store, pushCache);
    const remote = new Map<string, Version>();
    for await (const entry of bucket.list(clusterEtlPrefix(cluster), { signal })) {
      if (entry.kind === 'object') remote.set(entry.key, entry.version);
    }
    const instance = await instanceOf(store);
    const start = await lastStart(store);
    const origin = { instance, ...(start !== undefined && { start }) };
    return new Pusher(deps, origin, remote, cache, new NewestWritten(cache.pushed()), new Pulled(store));
  }

  /**
   * Pushes a file unless the bucket already has its content. Reserves memory budget and takes the window's lock only if
   * the file must be read.
   */
  async push(file: LocalFile): Promise<PushOutcome> {
    const { store, signal, budget } = this.deps;
    const known = this.cache.of(file);
    const decided = known && (await this.decided(file.path, known));
    if (decided !== undefined) return decided;
    const bytes = await memoryToRead(store, file, budget, signal);
    // Reserve the budget before taking the lock. Otherwise a task could hold a lock while it waits for the budget, and
    // other tasks would have to wait for that lock.
    return budget.within(bytes, signal, () =>
      withWindowLock(store, windowId(file.ref), () => this.pushLocked(file.path), signal),
    );
  }

  /**
   * Pushes bytes that were just read. The caller must hold the window's lock and must have reserved memory budget for
   * the bytes.
   */
  async pushRead(path: string, read: SteadyContent, digest: string): Promise<PushOutcomeOfBytes> {
    const named = parseWindowFile(path);
    if (named === undefined) return { kind: 'incomplete', why: 'Its name is not that of a window file.' };
    const content: Content = { file: { ...named, path, ...read.stamp }, bytes: read.bytes, digest };
    const { cluster } = this.deps;
    const subject = { cluster, pipeline: named.ref.pipeline, window: windowId(named.ref), key: path };
    try {
      return await this.pushContent(content);
    } catch (error) {
      if (isFederationError(error, 'STORAGE_INVALID_KEY')) return this.refuse(content, error.detail, []);
      throw error instanceof FederationError ? error.about(subject) : error;
    }
  }

  private async pushLocked(path: string): Promise<PushOutcome> {
    const read = await readSteadily(localPath(this.deps.store, path));
    if (read.kind === 'gone') return read;
    if (read.kind === 'unreadable')
      return { kind: read.refused ? 'unreadable' : 'incomplete', why: read.why };
    return this.pushRead(path, read, sha256(read.bytes));
  }

  /**
   * If the cached facts are sufficient, returns the result of the push without reading the file. Otherwise returns
   * undefined.
   */
  private async decided(path: string, known: Facts): Promise<PushOutcome | undefined> {
    const there = this.remote.get(clusterEtlKey(this.deps.cluster, path));
    if (known.version !== undefined && known.version === there) return { kind: 'unchanged' };
    if (await this.pulled.has(known.digest)) return { kind: 'pulled' };
    if (known.refused === undefined || known.refused.ownNames.length === 0) return undefined;
    const own = [...(await ownNames(this.deps.store, this.deps.cluster))];
    const same =
      own.length === known.refused.ownNames.length &&
      own.every((name) => known.refused?.ownNames.includes(name));
    return same ? { kind: 'refused', why: known.refused.why } : undefined;
  }

  private async pushContent(content: Content): Promise<PushOutcomeOfBytes> {
    const { file, digest, bytes } = content;
    // Check whether the content was pulled. A check before the lock was taken is not enough, because a pull may have
    // started in between. Every pull saves its start time and its digests before it replaces the first file.
    const { firstPullAt } = await primaryState(this.deps.store);
    if (await this.pulled.has(digest)) {
      this.note(file, { digest });
      return { kind: 'pulled' };
    }
    const there = this.remote.get(clusterEtlKey(this.deps.cluster, file.path));
    const last = this.cache.last(file.path);
    // If the last push uploaded this content, and the bucket still has that version, only the file's modification time
    // has changed. So there is nothing to push.
    if (there !== undefined && last?.version === there && last.digest === digest)
      return this.unchanged(content, there);
    const judged = judgeContent(file.ref.pipeline, bytes, this.deps.budget.mostUnpacked);
    if (judged.kind === 'incomplete') return judged;
    const { clusters, measure, written } = judged;
    if (firstPullAt !== undefined || (await this.pulled.everPulled()).size > 0) {
      const own = await ownNames(this.deps.store, this.deps.cluster);
      const fault =
        clusters === undefined
          ? 'Its codec version is not supported, so it is unknown which clusters its records name.'
          : echoFault(clusters, own);
      if (fault !== undefined) return this.refuse(content, fault, [...own]);
    } else if (clusters !== undefined) {
      await addOwnNames(this.deps.store, clusters);
    }
    return this.upload(content, measure && written && { measure, written });
  }

  /**
   * Saves facts about a file in the cache. Keeps what the cache knows about earlier pushes, unless `facts` has newer
   * values.
   */
  private note(file: LocalFile, facts: Facts): void {
    const { pushed, vanishedAt } = this.cache.last(file.path) ?? {};
    this.cache.note(file, {
      ...facts,
      pushed: facts.pushed ?? pushed,
      vanishedAt: facts.vanishedAt ?? vanishedAt,
    });
  }

  private unchanged({ file, digest }: Content, version: Version, pushed?: PushedContent): PushOutcomeOfBytes {
    this.note(file, { digest, version, pushed });
    return { kind: 'unchanged' };
  }

  private refuse({ file, digest }: Content, why: string, judgedBy: string[]): PushOutcomeOfBytes {
    this.note(file, { digest, refused: { why, ownNames: judgedBy } });
    return { kind: 'refused', why };
  }

  private async upload(content: Content, facts: PushedContent | undefined): Promise<PushOutcomeOfBytes> {
    const { file, digest, bytes } = content;
    const { bucket, cluster, signal } = this.deps;
    const key = clusterEtlKey(cluster, file.path);
    if (facts !== undefined) this.newest.add({ ...file, written: facts.written });
    const version = await this.versionWith(key, digest, bytes.length);
    if (version !== undefined) return this.unchanged(content, version, facts);
    const pushed = facts && { ...facts, loss: this.lossOf(file, facts.measure) };
    const vanished = !this.remote.has(key) && this.cache.last(file.path)?.version !== undefined;
    const inventory = inventoryMetadata({ program: this.deps.program, ...this.newest.inventory() });
    const metadata = { sha256: digest, ...this.origin, ...inventory };
    const written = await bucket.put(key, bytes, { metadata, signal });
    this.remote.set(key, written.version);
    this.note(file, {
      digest,
      version: written.version,
      pushed,
      ...(vanished && { vanishedAt: Date.now() }),
    });
    this.logUpload(file, bytes.length, key);
    return { kind: 'uploaded', bytes: bytes.length, vanished };
  }

  /**
   * If a file has lost too much since the last push, logs a warning and returns what the file has lost. The file is
   * uploaded nevertheless: the federator decides whether to merge it.
   */
  private lossOf({ path, ref }: LocalFile, now: Measure): PushedVersion['loss'] {
    const { cluster, log, shrinkage } = this.deps;
    const before = this.cache.last(path)?.pushed?.measure;
    if (before === undefined || !looksWrong(before, now, shrinkage)) return undefined;
    const what = describeChange(before, now);
    const { pipeline, resolution } = ref;
    log.warn(
      { event: 'push.shrunk', cluster, pipeline, resolution, window: windowName(ref.window), before, now },
      `FederatedCluster[${pipeline}][${resolution}] uploads ${windowText(ref)} although it has shrunk since the last push: ${what}`,
    );
    return { what, at: Date.now() };
  }

  /**
   * Returns the version of the stored object if its metadata and size show that it already has this content. Otherwise
   * returns undefined.
   */
  private async versionWith(key: string, digest: string, size: number): Promise<Version | undefined> {
    if (!this.remote.has(key)) return undefined;
    const head = await this.deps.bucket.head(key, { signal: this.deps.signal });
    if (head === undefined || head.metadata.sha256 !== digest || head.size !== size) return undefined;
    this.remote.set(key, head.version);
    return head.version;
  }

  private logUpload({ ref }: LocalFile, bytes: number, key: string): void {
    const { cluster, log } = this.deps;
    const { pipeline, resolution, window } = ref;
    log.info(
      {
        event: 'push.uploaded',
        cluster,
        pipeline,
        resolution,
        window: `${window.start}-${window.end}`,
        bytes,
        key,
      },
      `FederatedCluster[${pipeline}][${resolution}] uploaded ${windowText(ref)} (${bytes} bytes) to ${key}`,
    );
  }
}

/** Describes a window without its resolution, because the log message already contains the resolution. */
function windowText(ref: LocalFile['ref']): string {
  return describeWindow(ref).slice(ref.resolution.length + 1);
}
