import { z } from 'zod';
import { ownValue } from '../etl/own-value';
import { isWindowId, type WindowId } from '../etl/window';
import { withLock } from './lock';
import { readSteadily, sha256 } from './read';
import type { Stamp } from './replace';
import { readStateCached, writeState } from './state';
import { type LocalEtl, localPath } from './store';

const fileName = 'pulled.json';
const pulledSchema = z.object({
  format: z.literal(1),
  /** For each window id, the digests of the contents that were pulled or are about to be pulled. The newest is last. */
  windows: z.record(z.string(), z.array(z.string())),
});

/**
 * Number of digests kept per window. This is enough to recognize an old pulled file that somebody restores. A file
 * whose digest is no longer kept is recognized by the cluster names in its records.
 */
const keptPerWindow = 32;
const keptPerFormerWindow = 4;

/** Content of the state file as last read, with sets for fast look-ups. */
interface Known {
  readonly windows: Readonly<Record<string, readonly string[]>>;
  readonly digests: ReadonlySet<string>;
  readonly ids: ReadonlySet<WindowId>;
}

/**
 * Remembers the digests of everything that was ever pulled to this volume, so that a pulled file is never mistaken for
 * the cluster's own. A digest is saved before its file is put in place. Digests saved by other processes are included.
 */
export class Pulled {
  private known: Known = knownOf({});

  constructor(private readonly store: LocalEtl) {}

  async has(digest: string): Promise<boolean> {
    return (await this.latest()).digests.has(digest);
  }

  /** Returns the size and modification time of a local file if its current content was pulled, otherwise undefined. */
  async stampIfPulled(path: string): Promise<Stamp | undefined> {
    const read = await readSteadily(localPath(this.store, path));
    return read.kind === 'read' && (await this.has(sha256(read.bytes))) ? read.stamp : undefined;
  }

  /** Returns the ids of all windows that were ever pulled. */
  async everPulled(): Promise<ReadonlySet<WindowId>> {
    return (await this.latest()).ids;
  }

  /**
   * Saves the digests of all windows of a generation (numbered version) of the combined data. This must finish before
   * the first of these windows is put in place.
   */
  async add(windows: Iterable<readonly [WindowId, string]>): Promise<void> {
    await withLock(this.store, 'pulled', async () => {
      const known = (await this.latest()).windows;
      const next: Record<string, string[]> = {};
      for (const [window, digests] of Object.entries(known))
        next[window] = digests.slice(-keptPerFormerWindow);
      for (const [window, digest] of windows) {
        const before = (ownValue(known, window) ?? []).filter((other) => other !== digest);
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
