import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listGenerations, newestGenerationNumber, readGeneration } from '../activities/read-generations';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { describeError, isFederationError } from '../errors/federation-error';
import { clusterId } from '../etl/cluster-id';
import { decodeSet } from '../etl/file';
import { recordClusters } from '../etl/set-facts';
import { type WindowId, windowId } from '../etl/window';
import type { Generation } from '../federation/generation';
import { clusterEtlPrefix, combinedEtlPrefix, objectKey, parseEtlKey } from '../federation/layout';
import type { ObjectInfo } from '../storage/bucket';
import { readAll } from '../storage/read-all';
import { localWindows } from './local-files';
import { type FoundCopy, type FoundFile, Oracle } from './oracle';
import { digestOf, pipelineOf } from './truth';
import type { Violation } from './violation';
import { primary, type World } from './world';

/** How much the samplers have looked at. */
export interface SampleCounts {
  samples: number;
  /** Samples that read nothing, because the bucket was away. */
  away: number;
  /** Files and objects that were read whole, and compared. */
  objects: number;
}

const pauseMs = 250;
const readsAtOnce = 8;

/**
 * Reads the store and the primary's folder all the time, as other programs would, and lets the oracle judge what it
 * finds. Injected faults of requests do not affect it, because it does not use the fault proxy. It judges nothing while
 * the bucket itself is away.
 */
export class Sampler {
  readonly counts: SampleCounts = { samples: 0, away: 0, objects: 0 };
  readonly oracle: Oracle;
  /** What is known about files by their digests, so that each content is decoded only once. */
  readonly #decoded = new Map<string, { readonly torn?: string; readonly clusters: readonly string[] }>();
  #stopped = false;
  #turn = 0;

  constructor(
    private readonly world: World,
    private readonly onViolation: (violation: Violation) => void,
  ) {
    this.oracle = new Oracle(world.truth, world.store.clockMs);
  }

  /** Takes samples until `stop` is called. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.sample();
      await sleep(pauseMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Takes one sample of the combined set, of the published files, of the primary, and of one cluster's folder. */
  async sample(): Promise<void> {
    const { clusters } = this.world.truth;
    const cluster = clusters[this.#turn++ % clusters.length] ?? primary;
    const looks = [
      () => this.#combined(),
      () => this.#published(),
      () => this.#source(cluster),
      () => this.#primary(),
    ];
    for (const look of looks)
      for (const violation of await this.#undisturbed(look)) this.onViolation(violation);
    this.counts.samples += 1;
  }

  /** Looks at the store. What was found counts only if the bucket was there all the time. */
  async #undisturbed(look: () => Promise<Violation[]>): Promise<Violation[]> {
    const { store } = this.world;
    const before = store.presence();
    try {
      const found = before === undefined ? undefined : await look();
      if (found !== undefined && store.presence() === before) return found;
    } catch (error) {
      if (before !== undefined && store.presence() === before)
        return [{ check: 'read', what: `the store could not be read: ${describeError(error)}` }];
    }
    this.counts.away += 1;
    return [];
  }

  async #combined(): Promise<Violation[]> {
    const { bucket } = this.world.store;
    const newest = (await listGenerations(bucket)).at(-1);
    if (newest === undefined) return [];
    const generation = await readGeneration(bucket, newest.generation);
    if (generation === undefined)
      return [{ check: 'generation', what: `generation ${newest.generation} was listed, but is gone` }];
    const objects = await mapConcurrently(Object.keys(generation.windows), readsAtOnce, (window) =>
      this.#object(generation, window as WindowId),
    );
    const after = await newestGenerationNumber(bucket);
    const look = { before: newest.generation, generation, committed: newest.modified, after };
    return [...this.oracle.sawNewest(look), ...(await this.#missed()), ...objects.flat()];
  }

  async #object(generation: Generation, window: WindowId): Promise<Violation[]> {
    const named = generation.windows[window];
    const read = await this.#read(objectKey(named?.fingerprint ?? ''));
    if (read === undefined) return this.oracle.sawObject(generation, window, undefined);
    const { bytes } = read;
    const digest = digestOf(bytes);
    const found = this.oracle.sawObject(generation, window, { digest, size: bytes.length });
    const { torn, clusters } = this.#decode(window, bytes, digest);
    if (torn !== undefined)
      return [
        ...found,
        { check: 'object', what: `${window} of generation ${generation.generation} is torn: ${torn}` },
      ];
    return [...found, ...this.oracle.sawContents(generation, window, clusters)];
  }

  /** Shows the oracle all generations that it has not seen. */
  async #missed(): Promise<Violation[]> {
    const { bucket } = this.world.store;
    const found: Violation[] = [];
    for (const { generation: number, modified } of await listGenerations(bucket)) {
      if (this.oracle.knows(number)) continue;
      const generation = await readGeneration(bucket, number);
      if (generation !== undefined) found.push(...this.oracle.sawGeneration(generation, modified));
    }
    return found;
  }

  async #published(): Promise<Violation[]> {
    return this.#files(combinedEtlPrefix, (window, file) => this.oracle.sawPublished(window, file));
  }

  async #source(cluster: string): Promise<Violation[]> {
    return this.#files(clusterEtlPrefix(clusterId(cluster)), (window, file) =>
      this.oracle.sawSource(cluster, window, file),
    );
  }

  /** Reads all files below a prefix, then all generations that were committed meanwhile, then judges the files. */
  async #files(
    prefix: string,
    judge: (window: string, file: FoundCopy) => Violation[],
  ): Promise<Violation[]> {
    const { bucket } = this.world.store;
    const windows: { key: string; window: WindowId }[] = [];
    for await (const entry of bucket.list(prefix)) {
      const file = entry.kind === 'object' ? parseEtlKey(prefix, entry.key) : undefined;
      if (entry.kind === 'object' && file !== undefined)
        windows.push({ key: entry.key, window: windowId(file.ref) });
    }
    const files = await mapConcurrently(windows, readsAtOnce, async ({ key, window }) => {
      const found = await this.#read(key);
      return (
        found && { window, file: { ...this.#found(window, found.bytes), modified: found.head.modified } }
      );
    });
    const missed = await this.#missed();
    return [...missed, ...files.flatMap((one) => (one === undefined ? [] : judge(one.window, one.file)))];
  }

  async #primary(): Promise<Violation[]> {
    const { world } = this;
    const etl = world.etl(primary);
    const files: { window: WindowId; file: FoundFile }[] = [];
    for (const window of await localWindows(etl)) {
      const bytes = await readFile(path.join(etl, 'bingen', window)).catch(() => undefined);
      if (bytes === undefined) continue;
      this.counts.objects += 1;
      files.push({ window, file: this.#found(window, bytes) });
    }
    const missed = await this.#missed();
    return [...missed, ...files.flatMap(({ window, file }) => this.oracle.sawPrimary(primary, window, file))];
  }

  #found(window: WindowId, bytes: Uint8Array): FoundFile {
    const digest = digestOf(bytes);
    return { digest, torn: this.#decode(window, bytes, digest).torn };
  }

  /** Reads an object. Returns undefined if it does not exist. */
  async #read(key: string): Promise<{ bytes: Uint8Array; head: ObjectInfo } | undefined> {
    try {
      const read = await readAll(this.world.store.bucket, key);
      this.counts.objects += 1;
      return read;
    } catch (error) {
      if (isFederationError(error, 'STORAGE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  #decode(window: WindowId, bytes: Uint8Array, digest: string) {
    const key = `${pipelineOf(window)} ${digest}`;
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;
    const decoded = decode(window, bytes);
    this.#decoded.set(key, decoded);
    return decoded;
  }
}

function decode(window: WindowId, bytes: Uint8Array): { torn?: string; clusters: readonly string[] } {
  try {
    return { clusters: recordClusters(decodeSet(pipelineOf(window), bytes)) };
  } catch (error) {
    return { torn: describeError(error), clusters: [] };
  }
}
