import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createPullCombined, type PullDependencies } from '../../activities/pull-combined';
import { createPushLocalEtl } from '../../activities/push-local-etl';
import { type Log, silentLog } from '../../config/log';
import { programVersion } from '../../config/program-version';
import { type ClusterId, clusterId } from '../../etl/cluster-id';
import type { Contribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { parseWindowId, type WindowId } from '../../etl/window';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import type { Generation, QuarantinedSource } from '../../federation/generation';
import { clusterEtlKey, objectKey } from '../../federation/layout';
import type { Excluded } from '../../federation/membership';
import type { Provenance, ProvenanceSource } from '../../federation/provenance';
import { instanceOf } from '../../local-etl/instance';
import { type LocalEtl, localEtl, localPath } from '../../local-etl/store';
import type { Bucket, Version } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { createMemoryBudget, type MemoryBudget } from '../../storage/memory-budget';
import { readAll } from '../../storage/read-all';
import { measureWith } from '../etl/build-records';
import { generation as madeUpGeneration, membership } from '../federation/made-up';

const golden = join(__dirname, '..', 'golden');
export const day1 = 'allocations/1d/1794614400-1794700800' as WindowId;
export const day2 = 'allocations/1d/1794700800-1794787200' as WindowId;
export const assets1 = 'assets/1d/1794614400-1794700800' as WindowId;
/** A time after the end of all golden windows. */
export const later = new Date('2026-11-20T00:00:00Z');
const longAgo = new Date('2026-11-17T00:00:00Z');

/** Declares a method of Jest's `expect` that is missing from its type declarations. */
interface WithTesters {
  addEqualityTesters(testers: ((a: unknown, b: unknown) => boolean | undefined)[]): void;
}
// Compare buffers with `equals`. By default, Jest compares them byte by byte, which takes seconds for a window file.
(expect as unknown as WithTesters).addEqualityTesters([
  (a, b) => (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : undefined),
]);

/** The volume and the bucket of a cluster. The bucket is a folder by default. Disposing of this object removes both. */
export class ClusterOnDisk implements AsyncDisposable {
  readonly cluster = clusterId('cluster-5');
  now = later;
  readonly budget = createMemoryBudget(64 * 2 ** 20);
  private constructor(
    readonly folder: string,
    readonly bucket: Bucket,
    readonly store: LocalEtl,
  ) {}

  static async make(bucket?: Bucket): Promise<ClusterOnDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'federated-etl-'));
    const [bucketFolder, volume] = [join(folder, 'bucket'), join(folder, 'etl')];
    await mkdir(bucketFolder);
    await mkdir(volume);
    return new ClusterOnDisk(folder, bucket ?? openFilesystem({ directory: bucketFolder }), localEtl(volume));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bucket.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * Writes a file in place, as the cost-model does. By default, the file gets a modification time so old that it counts
   * as complete.
   */
  async build(path: string, bytes: Uint8Array, at: Date = longAgo): Promise<void> {
    const file = localPath(this.store, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    await utimes(file, at, at);
  }

  async local(path: string): Promise<Buffer | undefined> {
    return readFile(localPath(this.store, path)).catch(() => undefined);
  }

  /** Returns the digest of each file in the local ETL, keyed by the file's path. */
  async localFiles(): Promise<Record<string, string>> {
    return filesBelow(this.store.bingen);
  }

  async remote(path: string): Promise<Buffer | undefined> {
    const key = clusterEtlKey(this.cluster, path);
    return (await this.bucket.head(key)) && (await readAll(this.bucket, key)).bytes;
  }

  async push(changes: PushChanges = {}) {
    const {
      bucket = this.bucket,
      store = this.store,
      budget = this.budget,
      cluster = this.cluster,
    } = changes;
    const { signal = new AbortController().signal, log = silentLog } = changes;
    const instance = changes.instance ?? (await instanceOf(store));
    const deps = {
      bucket,
      cluster,
      store,
      log,
      budget,
      shrinkage: 0.5,
      program: programVersion(),
      heartbeat: () => undefined,
      signal: () => signal,
    };
    return createPushLocalEtl(deps)({ instance });
  }

  async pull(changes: Partial<PullDependencies> = {}) {
    return createPullCombined({ ...this.pullDependencies(), ...changes })();
  }

  pullDependencies(): PullDependencies {
    const signal = new AbortController().signal;
    return {
      combined: this.bucket,
      own: this.bucket,
      cluster: this.cluster,
      federated: true,
      store: this.store,
      log: silentLog,
      budget: this.budget,
      shrinkage: 0.5,
      program: programVersion(),
      now: () => this.now,
      heartbeat: () => undefined,
      signal: () => signal,
    };
  }

  /** Commits a generation as a federator does: writes the merged objects, their provenance, and the generation. */
  async commit(
    generation: number,
    windows: Record<string, Combined>,
    changes: Committed = {},
  ): Promise<void> {
    const committed: Generation['windows'] = {};
    for (const [window, { bytes, from }] of Object.entries(windows) as [WindowId, Combined][]) {
      const digest = sha256(bytes);
      const fingerprint = sha256(Buffer.from([window, digest, ...from].join(' ')));
      const facts = { fingerprint, digest, size: bytes.length };
      const sources = from.map((cluster): ProvenanceSource => ({
        cluster: clusterId(cluster),
        seen: 'v' as Version,
        decision: 'used',
        contribution: nothing(cluster),
      }));
      const provenance: Provenance = { format: 1, window, ...facts, sources, quarantined: [] };
      await this.bucket.put(objectKey(fingerprint), bytes);
      await replaceDocument(this.bucket, documents.provenance.at(fingerprint), provenance);
      committed[window] = facts;
    }
    const { quarantined = [], excluded = {}, cutoff, federation = 'f-1', run = `r${generation}` } = changes;
    const members = membership([], {
      federator: 'cluster-4',
      scope: { exclude: [], cutoff },
      excluded,
    });
    const whole = madeUpGeneration({}, members, {
      federation,
      generation,
      run,
      ...(generation > 1 && {
        parent: { generation: generation - 1, run: changes.after ?? `r${generation - 1}` },
      }),
      committedAt: later.toISOString(),
      windows: committed,
      quarantined,
    });
    await replaceDocument(this.bucket, documents.generation.at(generation), whole);
  }
}

interface PushChanges {
  readonly cluster?: ClusterId;
  bucket?: Bucket;
  store?: LocalEtl;
  budget?: MemoryBudget;
  instance?: string;
  signal?: AbortSignal;
  log?: Log;
}

/** Returns a contribution that has only the cluster's id. All other fields are empty. */
function nothing(id: string): Contribution {
  const numbers = { measure: measureWith(0), entries: 0, offset: 0, length: 0 };
  return { id, ...numbers, names: [], altered: [], changed: [], rest: '', marksOmitted: false };
}

export interface Combined {
  bytes: Buffer;
  /** Ids of the clusters that contribute to the window. */
  from: string[];
}

interface Committed {
  federation?: string;
  /** Name of the run that commits. `after` is the name of the run that committed the previous generation. */
  run?: string;
  after?: string;
  quarantined?: QuarantinedSource[];
  excluded?: Record<string, Excluded>;
  cutoff?: string;
}

/** Returns the golden file of a window as a cluster built it. */
export async function built(window: WindowId, cluster = 'cluster-5'): Promise<Buffer> {
  return readFile(join(golden, 'bucket/federated', cluster, 'etl/bingen', window));
}

/** Returns a golden window that OpenCost merged from the files of all five clusters. */
export async function combined(window: WindowId): Promise<Combined> {
  const bytes = await readFile(join(golden, 'expected/federated/combined/etl/bingen', window));
  return { bytes, from: ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'] };
}

/**
 * Returns a file that has the same content as `bytes`, but lists the records in reverse order. A cost-model, too,
 * may change the order of the records when it loads a file and saves it again.
 */
export function rewritten(window: WindowId, bytes: Uint8Array): Buffer {
  const ref = parseWindowId(window);
  const set = decodeSet(ref?.pipeline ?? 'allocations', bytes);
  if (set.kind === 'allocations' && set.allocations !== null)
    set.allocations = new Map([...set.allocations].reverse());
  if (set.kind === 'assets' && set.assets !== null) set.assets = new Map([...set.assets].reverse());
  const other = encodeSet(set);
  if (other.equals(bytes)) throw new Error('The rewritten bytes are not different.');
  return other;
}

/** Returns the file that a cluster would write if it built the window again without the first `leaveOut` records. */
export function rebuilt(window: WindowId, bytes: Uint8Array, leaveOut: number): Buffer {
  const set = decodeSet(parseWindowId(window)?.pipeline ?? 'allocations', bytes);
  const records: Map<string, unknown> | null = set.kind === 'allocations' ? set.allocations : set.assets;
  for (const key of [...(records ?? new Map<string, unknown>()).keys()].slice(0, leaveOut))
    records?.delete(key);
  return encodeSet(set);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Returns the digest of each file below a folder, keyed by the file's path. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path.slice(folder.length + 1)] = sha256(await readFile(path));
  }
  return found;
}

export type Verb = 'list' | 'head' | 'get' | 'put' | 'create' | 'copy' | 'delete';

/** Wraps a bucket so that `before` is called before each call to the bucket. If `before` throws, the call fails. */
export function spied(bucket: Bucket, before: (verb: Verb, key: string) => void): Bucket {
  const verbs: readonly string[] = ['list', 'head', 'get', 'put', 'create', 'copy', 'delete'];
  return new Proxy(bucket, {
    get(target, name: keyof Bucket) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (verbs.includes(name)) before(name as Verb, String(args[0]));
        return method.apply(target, args);
      };
    },
  });
}

/** Wraps a bucket to count its calls by verb. Returns the wrapper and the counts. */
export function counted(bucket: Bucket): { bucket: Bucket; calls: Partial<Record<Verb, number>> } {
  const calls: Partial<Record<Verb, number>> = {};
  return { calls, bucket: spied(bucket, (verb) => (calls[verb] = (calls[verb] ?? 0) + 1)) };
}
