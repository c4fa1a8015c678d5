/** Limits the number of bytes that concurrent work holds in memory. */
export interface MemoryBudget {
  /** Maximum unpacked size of one gzipped file, in bytes. (Default: the limit of `gunzip`) */
  readonly mostUnpacked?: number;
  /**
   * Waits until `bytes` fit into the budget, reserves them, and runs `work`. Releases them when `work` has ended. If
   * `bytes` are more than the whole budget, `work` waits until it can run alone.
   */
  within<Result>(bytes: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result>;
}

/**
 * Creates a budget of `budget` bytes. Work starts in the order in which it was requested, so that many small requests
 * cannot delay a large one forever.
 */
export function createMemoryBudget(budget: number, mostUnpacked?: number): MemoryBudget {
  let used = 0;
  const waiting: { bytes: number; start: () => void }[] = [];
  const admit = () => {
    for (let next = waiting[0]; next !== undefined && used + next.bytes <= budget; next = waiting[0]) {
      waiting.shift();
      used += next.bytes;
      next.start();
    }
  };
  const enter = (bytes: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const entry = { bytes, start: resolve };
      const leave = () => {
        const place = waiting.indexOf(entry);
        if (place < 0) return;
        waiting.splice(place, 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        admit();
      };
      signal.addEventListener('abort', leave, { once: true });
      entry.start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      waiting.push(entry);
      admit();
    });
  return {
    mostUnpacked,
    within: async (bytes, signal, work) => {
      signal.throwIfAborted();
      const claimed = Math.min(bytes, budget);
      await enter(claimed, signal);
      try {
        return await work();
      } finally {
        used -= claimed;
        admit();
      }
    },
  };
}
