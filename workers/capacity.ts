import { availableParallelism, totalmem } from 'node:os';

/**
 * Returns the number of windows that this process merges at once. A merge uses a core and a thread only while it
 * splices; before and after, it waits for the store and for Temporal. With large windows, `mergeMemory` lowers the
 * number further.
 */
export function mergeSlots(cores = availableParallelism()): number {
  return 4 * cores;
}

const mebibyte = 2 ** 20;

/**
 * Returns the number of bytes that the merges of this process may hold at once: a quarter of its usable memory (the
 * container's limit, or the machine's memory), but at least 128 MiB and at most 2 GiB, since more does not make merging
 * faster.
 */
export function mergeMemory(usable = usableMemory()): number {
  return Math.min(Math.max(Math.floor(usable / 4), 128 * mebibyte), 2_048 * mebibyte);
}

function usableMemory(): number {
  // Without a limit, this is 0, or more than the machine has.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
