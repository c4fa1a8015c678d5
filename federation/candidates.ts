import type { ClusterId } from '../etl/cluster-id';
import type { WindowId } from '../etl/window';
import type { Version } from '../storage/bucket';
import { byBytes } from './byte-order';

/** A window file of a cluster, as found in a listing of the bucket. */
export interface ListedFile {
  readonly cluster: ClusterId;
  readonly window: WindowId;
  /** Path below the cluster's `etl/bingen/`. */
  readonly path: string;
  /** Whether the file's name is just `<start>-<end>`, without a prefix and without `.gz`. */
  readonly plain: boolean;
  readonly version: Version;
  readonly size: number;
  /** Last-modified time by the store's clock, in milliseconds since 1970. */
  readonly modified: number;
}

/** A file that is ignored, because another file of the same cluster for the same window is preferred. */
export interface Duplicate {
  readonly cluster: ClusterId;
  readonly window: WindowId;
  readonly taken: string;
  readonly ignored: string;
}

/** The one file that is used for a cluster and window. */
export interface Candidate extends Pick<ListedFile, 'plain' | 'version' | 'size' | 'modified'> {
  /** Path below the cluster's `etl/bingen/`; undefined if the path is the same as the window's id. */
  readonly path?: string;
}

/**
 * Collects the files to merge: at most one per cluster and window. If a cluster has several files for a window, the one
 * modified last is preferred. If they were modified at the same time, a file with a plain name is preferred, and then
 * the file whose path is the window's id. The order in which files are added makes no difference.
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

  /** Returns the ids of all windows for which at least one cluster has a file, in no particular order. */
  windows(): Iterable<string> {
    return this.#windows.keys();
  }

  /** Returns a window's files, keyed by cluster id, in no particular order. The map is empty if there are none. */
  of(window: string): ReadonlyMap<ClusterId, Candidate> {
    return this.#windows.get(window) ?? noFiles;
  }

  /** Returns the clusters that have at least one window file, in no particular order. */
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
