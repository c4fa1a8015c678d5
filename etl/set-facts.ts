import { type ByteString, displayText } from './byte-string';
import type { Instant } from './instant';
import { type Allocation, type Asset, type EtlSet, recordsOf } from './model';

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

/**
 * The names of the clusters that the records of a set name, as texts, in the order in which they are met. Of an
 * allocation that is its property, else the first segment of its name.
 */
export function recordClusters(set: EtlSet): string[] {
  const clusters = new Set<ByteString>();
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) clusters.add(clusterOf(record));
  }
  clusters.delete('');
  return [...clusters].map(displayText);
}

/** The name of the cluster that a record is of: of an allocation its property, else the first segment of its name. */
export function clusterOf(record: Allocation | Asset): ByteString {
  if ('type' in record) return record.properties?.cluster ?? '';
  return record.properties?.cluster || record.name.slice(0, (record.name + '/').indexOf('/'));
}
