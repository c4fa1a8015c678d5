import type { Log } from '../config/log';
import { FederationError, isFederationError } from '../errors/federation-error';
import { recordClusters } from '../etl/set-facts';
import { describeWindow, windowId } from '../etl/window';
import type { Bucket, Version } from '../storage/bucket';
import { clusterEtlKey, clusterEtlPrefix, type ClusterId } from '../storage/layout';
import { echoFault } from './echo';
import { type Facts, FileMemory, pushCache } from './file-memory';
import { instanceOf } from './instance';
import type { LocalFile } from './list';
import { withWindowLock } from './lock';
import { addOwnNames, ownNames } from './own-names';
import { primaryMemory } from './primary';
import { Pulled } from './pulled';
import { type FileContent, readWindowFile } from './read';
import type { LocalEtl } from './store';

/** What became of a file that was to be pushed. */
export type PushOutcome =
  /** Its bytes went to the bucket. */
  | { readonly kind: 'uploaded'; readonly bytes: number }
  /** Its bytes are in the cluster's folder already. */
  | { readonly kind: 'unchanged' }
  /** It is what was pulled, not this cluster's. */
  | { readonly kind: 'pulled' }
  /** It is not whole, or not yet. */
  | { readonly kind: 'incomplete'; readonly why: string; readonly code?: string }
  /** It is whole but not surely this cluster's own, or cannot be a key. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'gone' };

export interface PusherDependencies {
  bucket: Bucket;
  cluster: ClusterId;
  store: LocalEtl;
  log: Log;
  signal?: AbortSignal;
}

type Complete = Extract<FileContent, { kind: 'complete' }>;

/**
 * Brings one local file at a time into the cluster's folder. It knows that folder from one listing and the local files
 * from its cache, so a file that is the same on both sides costs no request and is not read.
 */
export class Pusher {
  private constructor(
    private readonly deps: PusherDependencies,
    private readonly instance: string,
    private readonly remote: Map<string, Version>,
    readonly cache: FileMemory,
    private readonly pulled: Pulled,
  ) {}

  static async open(deps: PusherDependencies): Promise<Pusher> {
    const { bucket, cluster, store, signal } = deps;
    const cache = await FileMemory.open(store, pushCache);
    const remote = new Map<string, Version>();
    for await (const entry of bucket.list(clusterEtlPrefix(cluster), { signal })) {
      if (entry.kind === 'object') remote.set(entry.key, entry.version);
    }
    return new Pusher(deps, await instanceOf(store), remote, cache, new Pulled(store));
  }

  /** Pushes a file if the bucket lacks it. Only real work takes the window's lock. */
  async push(file: LocalFile): Promise<PushOutcome> {
    const { store, signal } = this.deps;
    const known = this.cache.of(file);
    return (
      (known && (await this.decided(file.path, known))) ??
      (await withWindowLock(store, windowId(file.ref), () => this.pushLocked(file.path), signal))
    );
  }

  /** The same, for a caller that holds the window's lock; it always reads the file. */
  async pushLocked(path: string): Promise<PushOutcome> {
    const content = await readWindowFile(this.deps.store, path);
    if (content.kind !== 'complete') return content;
    const { cluster } = this.deps;
    const subject = {
      cluster,
      pipeline: content.file.ref.pipeline,
      window: windowId(content.file.ref),
      key: path,
    };
    try {
      return await this.pushContent(content);
    } catch (error) {
      if (isFederationError(error, 'STORAGE_INVALID_KEY')) return this.refuse(content, error.detail, []);
      throw error instanceof FederationError ? error.about(subject) : error;
    }
  }

  async save(): Promise<void> {
    await this.cache.save();
  }

  /** What can be said without reading the file. */
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

  private async pushContent(content: Complete): Promise<PushOutcome> {
    const { file, digest, set } = content;
    // Read anew under the lock: the pull writes both before its first rename.
    const { firstPullAt } = await primaryMemory(this.deps.store);
    if (await this.pulled.has(digest)) {
      this.cache.note(file, { digest });
      return { kind: 'pulled' };
    }
    if (firstPullAt !== undefined || (await this.pulled.everPulled()).size > 0) {
      const own = await ownNames(this.deps.store, this.deps.cluster);
      const fault =
        set === undefined
          ? 'Its version is unknown here, so whose records it holds as well.'
          : echoFault(recordClusters(set), own);
      if (fault !== undefined) return this.refuse(content, fault, [...own]);
    } else if (set !== undefined) {
      await addOwnNames(this.deps.store, recordClusters(set));
    }
    return this.bring(content);
  }

  private refuse({ file, digest }: Complete, why: string, judgedBy: string[]): PushOutcome {
    this.cache.note(file, { digest, refused: { why, ownNames: judgedBy } });
    return { kind: 'refused', why };
  }

  private async bring({ file, digest, bytes }: Complete): Promise<PushOutcome> {
    const { bucket, cluster, signal } = this.deps;
    const key = clusterEtlKey(cluster, file.path);
    const version = await this.versionWith(key, file.path, digest, bytes.length);
    if (version !== undefined) {
      this.cache.note(file, { digest, version });
      return { kind: 'unchanged' };
    }
    const metadata = { sha256: digest, instance: this.instance };
    const written = await bucket.put(key, bytes, { metadata, signal });
    this.remote.set(key, written.version);
    this.cache.note(file, { digest, version: written.version });
    this.tell(file, bytes.length, key);
    return { kind: 'uploaded', bytes: bytes.length };
  }

  /** The version of the object that has these bytes already, by the cache or by the digest in its metadata. */
  private async versionWith(
    key: string,
    path: string,
    digest: string,
    size: number,
  ): Promise<Version | undefined> {
    const there = this.remote.get(key);
    if (there === undefined) return undefined;
    const last = this.cache.last(path);
    if (last?.version === there && last.digest === digest) return there;
    const head = await this.deps.bucket.head(key, { signal: this.deps.signal });
    if (head === undefined || head.metadata.sha256 !== digest || head.size !== size) return undefined;
    this.remote.set(key, head.version);
    return head.version;
  }

  private tell({ ref }: LocalFile, bytes: number, key: string): void {
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

/** `describeWindow` without the resolution, which stands in the brackets already. */
function windowText(ref: LocalFile['ref']): string {
  return describeWindow(ref).slice(ref.resolution.length + 1);
}
