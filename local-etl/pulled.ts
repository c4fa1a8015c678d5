import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { WindowId } from '../etl/window';
import { withLock } from './lock';
import { recall, remember } from './memory';
import { ifThere, type LocalEtl } from './store';

const fileName = 'pulled.json';
const pulledSchema = z.object({
  format: z.literal(1),
  /** By WindowId: the digests of what was pulled, or was about to be, the newest last. */
  windows: z.record(z.string(), z.array(z.string())),
});

/** Enough to know a pulled file again that somebody puts back; echoes older than that are known by their records. */
const keptPerWindow = 32;
const keptPerFormerWindow = 4;

/**
 * What this store ever pulled. It is written before a pulled file takes its place, and read again whenever another
 * process has written it, so that at no moment a pulled file passes for the cluster's own.
 */
export class Pulled {
  private windows: Readonly<Record<string, readonly string[]>> = {};
  private digests: ReadonlySet<string> = new Set();
  private seen = '';

  constructor(private readonly store: LocalEtl) {}

  async has(digest: string): Promise<boolean> {
    await this.refresh();
    return this.digests.has(digest);
  }

  /** The windows that were ever pulled. */
  async everPulled(): Promise<ReadonlySet<string>> {
    await this.refresh();
    return new Set(Object.keys(this.windows));
  }

  /** Remembers the windows of a generation, whole, before the first of them takes its place. */
  async add(windows: Iterable<readonly [WindowId, string]>): Promise<void> {
    await withLock(this.store, 'pulled', async () => {
      await this.refresh();
      const next: Record<string, string[]> = {};
      for (const [window, digests] of Object.entries(this.windows))
        next[window] = digests.slice(-keptPerFormerWindow);
      for (const [window, digest] of windows) {
        const before = (this.windows[window] ?? []).filter((known) => known !== digest);
        next[window] = [...before, digest].slice(-keptPerWindow);
      }
      await remember(this.store, fileName, { format: 1, windows: next });
    });
  }

  private async refresh(): Promise<void> {
    const stats = await ifThere(stat(join(this.store.memory, fileName)));
    // A new file each time it is written: its inode changes where the clock is too coarse.
    const seen = stats === undefined ? 'none' : `${stats.ino}-${stats.mtimeMs}-${stats.size}`;
    if (seen === this.seen) return;
    this.windows = (await recall(this.store, fileName, pulledSchema))?.windows ?? {};
    this.digests = new Set(Object.values(this.windows).flat());
    this.seen = seen;
  }
}
