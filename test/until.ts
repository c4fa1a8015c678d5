import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

/**
 * Looks until it finds something: anything but undefined and false. Errors count as nothing found; the last one is the
 * cause of the error at the end. The limit only ends a wait that would last forever, as a busy machine may take long.
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
