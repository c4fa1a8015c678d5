import type { AllocationSet, Asset, AssetSet } from '../../../etl/model';
import type { Span } from '../../../query/span';
import { finite } from './finite';

/** A set from an ETL folder, with the window that its file name states. */
export interface Stored<S> extends Span {
  /** Name of the folder for the resolution: `1d` or `1h`. */
  readonly resolution: string;
  readonly set: S;
}

export type StoredAllocations = Stored<AllocationSet>;
export type StoredAssets = Stored<AssetSet>;

/** All sets of one ETL folder. Tests call this a world. */
export interface StoredWorld {
  readonly allocations: readonly StoredAllocations[];
  readonly assets: readonly StoredAssets[];
}

/** Returns the assets of a set. Replaces NaN and infinite numbers with 0. */
export function assetsOf(set: AssetSet): Asset[] {
  return [...(set.assets?.values() ?? [])].filter((record) => record !== null).map(finite);
}

/** The records of one cluster in one set. */
export interface Portion<R> extends Span {
  readonly cluster: string;
  readonly records: readonly R[];
}

/**
 * Splits each set into one portion per cluster. Clusters without records in a set get no portion. The result is in
 * chronological order.
 */
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
