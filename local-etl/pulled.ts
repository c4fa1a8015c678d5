import { z } from 'zod';
import { isWindowId, type WindowId } from '../etl/window';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'pulled.json';
const pulledSchema = z.object({
  format: z.literal(1),
  /** By WindowId: the digests of contents pulled, or about to be, newest last. */
  windows: z.record(z.string(), z.array(z.string())),
});

/** Enough to recognise an old pulled file that is put back; older echoes are recognised by their records. */
const keptPerWindow = 32;
const keptPerFormerWindow = 4;

/** The state file as last read, indexed. */
interface Known {
  readonly windows: Readonly<Record<string, readonly string[]>>;
  readonly digests: ReadonlySet<string>;
  readonly ids: ReadonlySet<WindowId>;
}

/**
 * The digests of everything this store ever pulled. Written before a pulled file is put in place, and re-read after
 * another process has written it, so a pulled file is never mistaken for the cluster's own.
 */
export class Pulled {
  private known: Known = knownOf({});

  constructor(private readonly store: LocalEtl) {}

  async has(digest: string): Promise<boolean> {
    return (await this.latest()).digests.has(digest);
  }

  /** All windows ever pulled. */
  async everPulled(): Promise<ReadonlySet<WindowId>> {
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
  return {
    windows,
    digests: new Set(Object.values(windows).flat()),
    ids: new Set(Object.keys(windows).filter(isWindowId)),
  };
}
