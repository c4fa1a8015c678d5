import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

/**
 * Calls `look` repeatedly until it returns a value other than undefined and false. Returns that value. If `look`
 * throws, tries again. If the time runs out, throws an error. Its `cause` is the error that the last call of `look`
 * threw, if any. The time limit is long, because a busy machine may be slow: it is only meant to end waits that would
 * otherwise last forever.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  patienceMs = 180_000,
): Promise<T> {
  let lastError: unknown;
  for (const deadline = Date.now() + patienceMs; ; await sleep(lookEveryMs)) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`, { cause: lastError });
  }
}
