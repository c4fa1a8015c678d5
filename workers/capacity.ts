import { availableParallelism, totalmem } from 'node:os';

/**
 * Returns the maximum number of windows that this process merges at once: four per core. A merge needs a core and a
 * thread only while it combines files. The rest of the time, it waits for the store or for Temporal. If windows are
 * large, the limit set by `mergeMemory` is reached first.
 */
export function mergeSlots(cores = availableParallelism()): number {
  return 4 * cores;
}

const mebibyte = 2 ** 20;

/**
 * Returns the maximum number of bytes that all merges of this process together may hold in memory. It is a quarter of
 * the memory that the container or the machine has, but at least 128 MiB and at most 2 GiB. More would not make merging
 * faster.
 */
export function mergeMemory(usable = usableMemory()): number {
  return Math.min(Math.max(Math.floor(usable / 4), 128 * mebibyte), 2_048 * mebibyte);
}

/**
 * Returns the maximum number of bytes that a gzipped file may have when it is unpacked. It is an eighth of the memory
 * that the container or the machine has, but at least 64 MiB and at most 1 GiB: half of `mergeMemory`.
 */
export function mostUnpacked(usable = usableMemory()): number {
  return mergeMemory(usable) / 2;
}

function usableMemory(): number {
  // If the container has no memory limit, `limit` is either 0 or more than the memory of the machine.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
