import { type ByteString, displayTexts } from './byte-string';
import type { Instant } from './instant';
import { HourSums, type Measure } from './measure';
import { type EtlSet, type RecordOf, recordsOf } from './model';
import { pipelineSpecs, specOf } from './pipelines';
import type { Pipeline } from './window';

/** Returns the number of records of a set. Keys without a record do not count. */
export function recordCount(set: EtlSet): number {
  let count = 0;
  for (const record of recordsOf(set)?.values() ?? []) if (record !== null) count++;
  return count;
}

/** Returns the number of records of a set, and the sums of their resource hours. */
export function measureOf(set: EtlSet): Measure {
  const { addHours } = specOf(set);
  const sums = new HourSums();
  for (const record of recordsOf(set)?.values() ?? []) if (record !== null) addHours(record, sums);
  return { records: recordCount(set), hours: sums.hours };
}

/**
 * Returns the window of a set in unix seconds, which may have a fraction. `start` or `end` is absent if the window is
 * open on that side.
 */
export function setWindow(set: EtlSet): { start?: number; end?: number } {
  const { start, end } = set.window;
  return { ...(start && { start: unixSeconds(start) }), ...(end && { end: unixSeconds(end) }) };
}

function unixSeconds(instant: Instant): number {
  return instant.seconds + instant.nanos / 1e9;
}

/** Returns the names of all clusters that occur in a set's records, as readable text, in byte order. */
export function recordClusters(set: EtlSet): string[] {
  const spec = specOf(set);
  const clusters = new Set<ByteString>();
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) clusters.add(spec.clusterOf(record));
  }
  return displayTexts(clusters);
}

/** Returns the total cost of a record, including adjustments, in the pricing currency of its cluster. */
export function recordCost<P extends Pipeline>(pipeline: P, record: RecordOf[P]): number {
  return pipelineSpecs[pipeline].costOf(record);
}

/** Returns the total cost of all records of a set. */
export function totalCost(set: EtlSet): number {
  const { costOf } = specOf(set);
  let total = 0;
  for (const record of recordsOf(set)?.values() ?? []) if (record !== null) total += costOf(record);
  return total;
}

/** What a file says about the agent that wrote it. */
export interface WrittenBy {
  /** The highest codec version in the file. The codec versions of windows do not count. */
  readonly codec: number;
  /**
   * Go package of the asset types, such as `github.com/opencost/opencost/core/pkg/opencost`. OpenCost and Kubecost have
   * different packages. Undefined if the file has no assets, or if the type name of its first asset contains no
   * package.
   */
  readonly package?: string;
}

/** Returns what a set says about the agent that wrote it. */
export function writtenBy(set: EtlSet): WrittenBy {
  const { version: codec } = set;
  if (set.kind !== 'assets') return { codec };
  const first = [...(set.assets?.values() ?? [])].find((asset) => asset !== null);
  const name = /^\*?([\w./-]{1,200})\.\w+$/.exec(first?.typeName ?? '')?.[1];
  return name === undefined ? { codec } : { codec, package: name };
}
