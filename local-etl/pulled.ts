import { z } from 'zod';
import { isWindowId, type WindowId } from '../etl/window';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'pulled.json';
const pulledSchema = z.object({
  format: z.literal(1),
  /** Digests of the contents that were pulled or are about to be pulled, by WindowId. The newest is last. */
  windows: z.record(z.string(), z.array(z.string())),
});

/**
 * Number of digests kept per window: enough to recognise an old pulled file that somebody puts back. Still older ones
 * are recognised by the cluster names in their records.
 */
const keptPerWindow = 32;
const keptPerFormerWindow = 4;

/** Content of the state file when it was last read, with sets for fast look-ups. */
interface Known {
  readonly windows: Readonly<Record<string, readonly string[]>>;
  readonly digests: ReadonlySet<string>;
  readonly ids: ReadonlySet<WindowId>;
}

/**
 * Remembers the digests of everything that was ever pulled into this store. They are saved before a pulled file is put
 * in place, and loaded again after another process has saved some. So a pulled file is never mistaken for the cluster's
 * own.
 */
export class Pulled {
  private known: Known = knownOf({});

  constructor(private readonly store: LocalEtl) {}

  async has(digest: string): Promise<boolean> {
    return (await this.latest()).digests.has(digest);
  }

  /** Returns all windows ever pulled. */
  async everPulled(): Promise<ReadonlySet<WindowId>> {
    return (await this.latest()).ids;
  }

  /**
   * Records the digests of all windows of a generation. Must finish before the first of these windows is put in place.
   */
  async add(windows: Iterable<readonly [WindowId, string]>): Promise<void> {
    await withLock(this.store, 'pulled', async () => {
      const known = (await this.latest()).windows;
      const next: Record<string, string[]> = {};
      for (const [window, digests] of Object.entries(known))
        next[window] = digests.slice(-keptPerFormerWindow);
      for (const [window, digest] of windows) {
        const before = (known[window] ?? []).filter((other) => other !== digest);
        next[window] = [...before, digest].slice(-keptPerWindow);
      }
      await writeState(this.store, fileName, { format: 1, windows: next });
    });
  }

  private async latest(): Promise<Known> {
    const windows = (await readStateCached(this.store, fileName, pulledSchema))?.windows;
    if (windows === this.known.windows) return this.known;
    return (this.known = knownOf(windows ?? {}));
  }
}

function knownOf(windows: Known['windows']): Known {
  return {
    windows,
    digests: new Set(Object.values(windows).flat()),
    ids: new Set(Object.keys(windows).filter(isWindowId)),
  };
}
