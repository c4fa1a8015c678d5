import { type ByteString, displayText } from './byte-string';
import type { Instant } from './instant';
import { type EtlSet, recordsOf } from './model';
import { specOf } from './pipelines';

/** How many records a set has; keys without a record do not count. */
export function recordCount(set: EtlSet): number {
  let count = 0;
  for (const record of recordsOf(set)?.values() ?? []) if (record !== null) count++;
  return count;
}

/** The window that a set says it holds, in unix seconds (with a fraction when it says so); open sides are left out. */
export function setWindow(set: EtlSet): { start?: number; end?: number } {
  const { start, end } = set.window;
  return { ...(start && { start: unixSeconds(start) }), ...(end && { end: unixSeconds(end) }) };
}

function unixSeconds(instant: Instant): number {
  return instant.seconds + instant.nanos / 1e9;
}

/** The names of the clusters that the records of a set name, as texts, in the order in which they are met. */
export function recordClusters(set: EtlSet): string[] {
  const spec = specOf(set);
  const clusters = new Set<ByteString>();
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) clusters.add(spec.clusterOf(record));
  }
  clusters.delete('');
  return [...clusters].map(displayText);
}
