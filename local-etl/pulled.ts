import { z } from 'zod';
import type { WindowId } from '../etl/window';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'pulled.json';
const pulledSchema = z.object({
  format: z.literal(1),
  /** By WindowId: the digests of what was pulled, or was about to be, the newest last. */
  windows: z.record(z.string(), z.array(z.string())),
});

/** Enough to know a pulled file again that somebody puts back; echoes older than that are known by their records. */
const keptPerWindow = 32;
const keptPerFormerWindow = 4;

/** The state file as last read, indexed. */
interface Known {
  readonly windows: Readonly<Record<string, readonly string[]>>;
  readonly digests: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
}

/**
 * What this store ever pulled. It is written before a pulled file takes its place, and read again whenever another
 * process has written it, so that at no moment a pulled file passes for the cluster's own.
 */
export class Pulled {
  private known: Known = knownOf({});

  constructor(private readonly store: LocalEtl) {}

  async has(digest: string): Promise<boolean> {
    return (await this.latest()).digests.has(digest);
  }

  /** The windows that were ever pulled. */
  async everPulled(): Promise<ReadonlySet<string>> {
    return (await this.latest()).ids;
  }

  /** Records all windows of a generation. Must finish before the first of them is put in place. */
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
  return { windows, digests: new Set(Object.values(windows).flat()), ids: new Set(Object.keys(windows)) };
}
