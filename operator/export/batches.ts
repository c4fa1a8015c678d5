import type { WindowRef } from '../../etl/window';

/**
 * Maximum total size of the files in a batch, in bytes. Each batch gets a new database. Larger batches need fewer
 * databases, but each database then takes more space.
 */
const batchBytes = 32 * 2 ** 20;
const batchWindows = 32;

/** Divides windows into batches, oldest windows first. A window of more than 32 MiB gets its own batch. */
export function inBatches<Sized extends Pick<WindowRef, 'window'> & { readonly size: number }>(
  windows: readonly Sized[],
): Sized[][] {
  const batches: Sized[][] = [];
  let bytes = Infinity;
  for (const window of [...windows].sort((a, b) => a.window.start - b.window.start)) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= batchWindows || bytes + window.size > batchBytes) {
      batches.push([window]);
      bytes = window.size;
    } else {
      last.push(window);
      bytes += window.size;
    }
  }
  return batches;
}
