import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 50;

/** Looks until it finds something. The limit only ends a wait for what never comes; a busy machine takes long. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  patienceMs = 60_000,
): Promise<T> {
  let lastError: unknown;
  for (const deadline = Date.now() + patienceMs; ; await sleep(lookEveryMs)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`, { cause: lastError });
  }
}
