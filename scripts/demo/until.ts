import { setTimeout as sleep } from 'node:timers/promises';
import { FederationError } from '../../errors/federation-error';

const lookEveryMs = 200;

/**
 * Calls `look` repeatedly until it returns a value other than undefined. If `look` throws, tries again. Throws after
 * `patienceMs` milliseconds, or when `stop` is aborted.
 */
export async function until<T>(
  what: string,
  patienceMs: number,
  stop: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  let lastError: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline || stop.aborted) {
      throw new FederationError('INTERNAL', {
        detail: stop.aborted
          ? `Stopped while waiting for ${what}.`
          : `Gave up after waiting ${patienceMs / 1000} s for ${what}.`,
        hint: 'Look at the logs of the clusters.',
        cause: lastError,
      });
    }
    await sleep(lookEveryMs);
  }
}
