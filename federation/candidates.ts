import { byBytes } from './byte-order';

/** A window file of a cluster, as it was listed. */
export interface ListedFile {
  readonly cluster: string;
  /** A WindowId. */
  readonly window: string;
  /** Below the cluster's `etl/bingen/`. */
  readonly path: string;
  /** Whether its name has no prefix and no `.gz`. */
  readonly plain: boolean;
  readonly version: string;
  readonly size: number;
  /** By the store's clock, in milliseconds since 1970. */
  readonly modified: number;
}

/** A file that is left aside because its cluster has another one of the same window. */
export interface Duplicate {
  readonly cluster: string;
  readonly window: string;
  readonly taken: string;
  readonly leftAside: string;
}

/** By window, then by cluster. */
export type Candidates = ReadonlyMap<string, ReadonlyMap<string, ListedFile>>;

/**
 * Takes at most one file a cluster and window: the one modified last, then the plain name, then the canonical path.
 * The order of the listing makes no difference.
 */
export function chooseFiles(files: readonly ListedFile[]): {
  candidates: Candidates;
  duplicates: Duplicate[];
} {
  const candidates = new Map<string, Map<string, ListedFile>>();
  const leftAside: ListedFile[] = [];
  for (const file of files) {
    const clusters = candidates.get(file.window) ?? new Map<string, ListedFile>();
    candidates.set(file.window, clusters);
    const other = clusters.get(file.cluster);
    const taken = other === undefined || preferredFirst(file, other) < 0 ? file : other;
    clusters.set(file.cluster, taken);
    if (other !== undefined) leftAside.push(taken === file ? other : file);
  }
  const duplicates = leftAside.sort(inOrder).map(({ cluster, window, path }): Duplicate => {
    const taken = candidates.get(window)?.get(cluster)?.path ?? '';
    return { cluster, window, taken, leftAside: path };
  });
  return { candidates, duplicates };
}

function preferredFirst(a: ListedFile, b: ListedFile): number {
  return (
    b.modified - a.modified ||
    Number(b.plain) - Number(a.plain) ||
    Number(b.path === b.window) - Number(a.path === a.window) ||
    byBytes(a.path, b.path)
  );
}

function inOrder(a: ListedFile, b: ListedFile): number {
  return byBytes(a.window, b.window) || byBytes(a.cluster, b.cluster) || byBytes(a.path, b.path);
}
