import { createHash } from 'node:crypto';
import { decodeSet } from '../etl/file';
import { mergeSets } from '../etl/merge';
import type { EtlSet } from '../etl/model';
import { parseWindowId, type Pipeline, type WindowId } from '../etl/window';
import { byBytes } from '../federation/byte-order';

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Returns the pipeline of a window. */
export function pipelineOf(window: WindowId): Pipeline {
  const pipeline = parseWindowId(window)?.pipeline;
  if (pipeline === undefined) throw new TypeError(`${window} is no window.`);
  return pipeline;
}

/** What a correct federation has to arrive at: what each cluster wrote last, and which clusters are excluded. */
export class Truth {
  readonly #files = new Map<string, Map<WindowId, Uint8Array>>();
  readonly #written = new Map<string, Set<string>>();
  readonly excluded = new Set<string>();

  constructor(readonly clusters: readonly string[]) {}

  /** Notes that a cluster is about to write these bytes, so that they may appear in the store from now on. */
  writes(cluster: string, window: WindowId, bytes: Uint8Array): void {
    const key = `${cluster} ${window}`;
    this.#written.set(key, (this.#written.get(key) ?? new Set()).add(digestOf(bytes)));
  }

  /** Notes that a cluster has written these bytes. */
  wrote(cluster: string, window: WindowId, bytes: Uint8Array): void {
    this.writes(cluster, window, bytes);
    this.#files.set(
      cluster,
      (this.#files.get(cluster) ?? new Map<WindowId, Uint8Array>()).set(window, bytes),
    );
  }

  /** Returns the bytes that a cluster wrote last. */
  file(cluster: string, window: WindowId): Uint8Array {
    const bytes = this.#files.get(cluster)?.get(window);
    if (bytes === undefined) throw new TypeError(`${cluster} never wrote ${window}.`);
    return bytes;
  }

  /** Returns true if the cluster has ever written a file with this digest for the window. */
  hasWritten(cluster: string, window: string, digest: string): boolean {
    return this.#written.get(`${cluster} ${window}`)?.has(digest) === true;
  }

  /** Returns the windows that a cluster has. */
  windowsOf(cluster: string): WindowId[] {
    return [...(this.#files.get(cluster)?.keys() ?? [])];
  }

  /** Returns all windows. */
  windows(): WindowId[] {
    return [...new Set(this.clusters.flatMap((cluster) => this.windowsOf(cluster)))].sort(byBytes);
  }

  /** Returns the clusters that are not excluded, in byte order. */
  included(): string[] {
    return this.clusters.filter((cluster) => !this.excluded.has(cluster)).sort(byBytes);
  }

  /**
   * Merges what the included clusters wrote last, with the merge that decodes whole files. The product's own merge
   * splices files, so the two share little code.
   */
  merged(window: WindowId): EtlSet {
    const pipeline = pipelineOf(window);
    const inputs = this.included()
      .filter((cluster) => this.#files.get(cluster)?.has(window))
      .map((cluster) => ({ id: cluster, set: decodeSet(pipeline, this.file(cluster, window)) }));
    return mergeSets(pipeline, inputs).set;
  }
}
