import { displayText } from '../etl/byte-string';
import { type EtlSet, recordsOf, type TimeWindow } from '../etl/model';
import { type NotFinite, withoutNotFinite } from '../etl/not-finite';
import { recordClusters, recordCost, recordCount, totalCost } from '../etl/set-facts';
import type { Pipeline } from '../etl/window';

/** Facts about an ETL file. Strings are taken from the file unchanged, even if they contain control characters. */
export interface SetSummary {
  readonly pipeline: Pipeline;
  readonly window: TimeWindow;
  readonly codecVersions: {
    readonly set: number;
    /** Number of records for each codec version, newest version first. */
    readonly records: readonly { readonly version: number; readonly records: number }[];
  };
  /** Names of the clusters that appear in the records. */
  readonly clusters: readonly string[];
  readonly records: number;
  /** Total cost of the records, in the currency of the cluster. NaN and infinite numbers count as 0. */
  readonly totalCost: number;
  /** Number of NaN and infinite numbers in the file, by field and cluster. */
  readonly notFinite: readonly NotFinite[];
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
  /** The records with the highest costs, highest first. */
  readonly costliest: readonly RecordCost[];
}

/** Key and cost of a record. The cost is in the currency of the cluster. */
export interface RecordCost {
  readonly record: string;
  readonly cost: number;
}

/** Summarizes the content of an ETL file. `costliest` contains up to `top` records. */
export function summarizeSet(whole: EtlSet, top: number): SetSummary {
  const { set, found } = withoutNotFinite(whole);
  return {
    pipeline: set.kind,
    window: set.window,
    codecVersions: { set: set.version, records: recordVersions(set) },
    clusters: recordClusters(set),
    records: recordCount(set),
    totalCost: totalCost(set),
    notFinite: found,
    warnings: (set.warnings ?? []).map(displayText),
    errors: (set.errors ?? []).map(displayText),
    costliest: recordCosts(set)
      .sort((a, b) => b.cost - a.cost)
      .slice(0, top),
  };
}

function recordVersions(set: EtlSet): SetSummary['codecVersions']['records'] {
  const counts = new Map<number, number>();
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) counts.set(record.version, (counts.get(record.version) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => b - a).map(([version, records]) => ({ version, records }));
}

function recordCosts(set: EtlSet): RecordCost[] {
  return [...(recordsOf(set) ?? [])].flatMap(([key, record]) =>
    record === null ? [] : [{ record: displayText(key), cost: recordCost(set.kind, record) }],
  );
}
