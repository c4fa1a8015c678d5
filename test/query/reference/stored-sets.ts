import type { AllocationSet, Asset, AssetSet } from '../../../etl/model';
import type { Span } from '../../../query/span';
import { finite } from './finite';

/** A set from an ETL folder, with the window of its file. */
export interface Stored<S> extends Span {
  /** Name of the resolution's folder: `1d` or `1h`. */
  readonly resolution: string;
  readonly set: S;
}

export type StoredAllocations = Stored<AllocationSet>;
export type StoredAssets = Stored<AssetSet>;

/** All sets of an ETL folder. */
export interface StoredWorld {
  readonly allocations: readonly StoredAllocations[];
  readonly assets: readonly StoredAssets[];
}

/** Returns the records of a set of assets, with 0 in place of NaN and infinite numbers. */
export function assetsOf(set: AssetSet): Asset[] {
  return [...(set.assets?.values() ?? [])].filter((record) => record !== null).map(finite);
}

/** Records of one cluster in one set. */
export interface Portion<R> extends Span {
  readonly cluster: string;
  readonly records: readonly R[];
}

/** Splits each set by cluster, in chronological order. A set without records of a cluster yields no portion for it. */
export function portions<S, R>(
  stored: readonly Stored<S>[],
  recordsOf: (set: S) => readonly R[],
  clusterOf: (record: R) => string,
): Portion<R>[] {
  const found: Portion<R>[] = [];
  for (const { start, end, set } of [...stored].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const byCluster = Map.groupBy(recordsOf(set), clusterOf);
    for (const [cluster, records] of byCluster) found.push({ start, end, cluster, records });
  }
  return found;
}
