import { availableParallelism, totalmem } from 'node:os';

/**
 * Returns the maximum number of windows that this process merges at once: several per core. A merge uses a core and a
 * thread only while it splices the files; the rest of the time, it waits for the store or for Temporal. With large
 * windows, the limit by `mergeMemory` is reached first.
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
  // If there is no limit, this is 0, or more than the machine has.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
