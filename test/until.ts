import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

/**
 * Polls until `look` returns anything but undefined or false. An error means that nothing was found yet; the last one
 * becomes the cause of the final error. The time limit only ends a wait that would last forever. It is long, as a busy
 * machine may be slow.
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
