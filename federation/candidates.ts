import type { ClusterId } from '../etl/cluster-id';
import type { WindowId } from '../etl/window';
import type { Version } from '../storage/bucket';
import { byBytes } from './byte-order';

/** A cluster's window file, as listed. */
export interface ListedFile {
  readonly cluster: ClusterId;
  readonly window: WindowId;
  /** Path below the cluster's `etl/bingen/`. */
  readonly path: string;
  /** Whether the file's name has no prefix and no `.gz`. */
  readonly plain: boolean;
  readonly version: Version;
  readonly size: number;
  /** Time of the last modification by the store's clock, in milliseconds since 1970. */
  readonly modified: number;
}

/** A file that is ignored because its cluster has a preferred file for the same window. */
export interface Duplicate {
  readonly cluster: ClusterId;
  readonly window: WindowId;
  readonly taken: string;
  readonly ignored: string;
}

/** The file that is used for a cluster and window. */
export interface Candidate extends Pick<ListedFile, 'plain' | 'version' | 'size' | 'modified'> {
  /** Path below the cluster's `etl/bingen/`; undefined if it is the window's id. */
  readonly path?: string;
}

/**
 * Collects at most one file per cluster and window. If there are several, keeps the one modified last; among files
 * modified at the same time, the one with the plain name; among those, the one with the canonical path. The order in
 * which files are added makes no difference. A listing can be added as it arrives: only the preferred files are kept in
 * memory.
 */
export class Candidates {
  readonly #windows = new Map<string, Map<ClusterId, Candidate>>();
  readonly #clusters = new Set<ClusterId>();
  readonly #ignored: Omit<Duplicate, 'taken'>[] = [];

  add({ cluster, window, path, plain, version, size, modified }: ListedFile): void {
    const file: Candidate = { plain, version, size, modified, path: path === window ? undefined : path };
    const files = this.#windows.get(window) ?? new Map<ClusterId, Candidate>();
    if (files.size === 0) this.#windows.set(window, files);
    this.#clusters.add(cluster);
    const other = files.get(cluster);
    if (other === undefined) return void files.set(cluster, file);
    const taken = preferredFirst(file, other) < 0 ? file : other;
    const left = taken === file ? other : file;
    files.set(cluster, taken);
    this.#ignored.push({ cluster, window, ignored: left.path ?? window });
  }

  /** Returns the ids of the windows that any cluster has, unordered. */
  windows(): Iterable<string> {
    return this.#windows.keys();
  }

  /** Returns the files of a window by cluster, unordered. */
  of(window: string): ReadonlyMap<ClusterId, Candidate> {
    return this.#windows.get(window) ?? noFiles;
  }

  /** Returns the clusters that have a window, unordered. */
  clusters(): ReadonlySet<ClusterId> {
    return this.#clusters;
  }

  /** Returns the ignored files, sorted by window, cluster and path. */
  duplicates(): Duplicate[] {
    return this.#ignored
      .map(({ cluster, window, ignored }): Duplicate => {
        const taken = this.of(window).get(cluster)?.path ?? window;
        return { cluster, window, taken, ignored };
      })
      .sort(inOrder);
  }
}

const noFiles: ReadonlyMap<ClusterId, Candidate> = new Map();

function preferredFirst(a: Candidate, b: Candidate): number {
  return (
    b.modified - a.modified ||
    Number(b.plain) - Number(a.plain) ||
    Number(b.path === undefined) - Number(a.path === undefined) ||
    byBytes(a.path ?? '', b.path ?? '')
  );
}

function inOrder(a: Duplicate, b: Duplicate): number {
  return byBytes(a.window, b.window) || byBytes(a.cluster, b.cluster) || byBytes(a.ignored, b.ignored);
}
