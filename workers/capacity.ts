import { availableParallelism, totalmem } from 'node:os';

/**
 * How many windows this process merges at once. Each takes a core only while it splices, and a thread for that; before and
 * behind it waits for the store and for Temporal. Of large windows the memory lets fewer through.
 */
export function mergeSlots(cores = availableParallelism()): number {
  return 4 * cores;
}

const mebibyte = 2 ** 20;

/**
 * The bytes that its merges may hold at once: a quarter of the memory that this process may use, as a container's limit
 * or the machine says, and between 128 MiB and 2 GiB, as more makes nothing faster.
 */
export function mergeMemory(usable = usableMemory()): number {
  return Math.min(Math.max(Math.floor(usable / 4), 128 * mebibyte), 2_048 * mebibyte);
}

function usableMemory(): number {
  // Without a limit it is 0, or more than there is.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
