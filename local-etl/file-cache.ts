import { z } from 'zod';
import { isFederationError } from '../errors/federation-error';
import type { WrittenBy } from '../etl/set-facts';
import { measureSchema } from '../federation/measure';
import type { FileStamp, Stamp } from './list';
import type { PassedOverPlaces } from './passed-over';
import { readState, writeStateQuickly } from './state';
import type { LocalEtl } from './store';

const refusalSchema = z.object({
  why: z.string(),
  /**
   * The cluster's own names (see `own-names.ts`) at the time when the file was refused. If these names change, the file
   * is checked again.
   */
  ownNames: z.array(z.string()),
});
export type Refusal = z.infer<typeof refusalSchema>;

const pushedSchema = z.object({
  measure: measureSchema,
  /** What the file says about the agent that wrote it. */
  written: z.object({ codec: z.number(), package: z.string().optional() }),
  /**
   * What the file had lost since the previous push; undefined if the loss was acceptable. `at` is the time of the push,
   * in milliseconds since 1970.
   */
  loss: z.object({ what: z.string(), at: z.number() }).optional(),
});
export type PushedVersion = z.infer<typeof pushedSchema>;

const factsSchema = z.object({
  digest: z.string(),
  /** Version of the copy of the file in the bucket or in a backup. `digest` is the digest of this copy. */
  version: z.string().optional(),
  refused: refusalSchema.optional(),
  /** The version of the file that was pushed last. */
  pushed: pushedSchema.optional(),
  /** When the file was last pushed again because its copy was no longer in the bucket, in milliseconds since 1970. */
  vanishedAt: z.number().optional(),
});
/** Cached facts about the content of a file. */
export type Facts = z.infer<typeof factsSchema>;

const entrySchema = factsSchema.extend({
  size: z.number(),
  mtimeMs: z.number(),
  ctimeMs: z.number(),
  inode: z.number(),
  settled: z.boolean(),
});
const cacheSchema = z.object({
  format: z.literal(1),
  /** True if the inode number of an unchanged file has ever changed, as happens on some network file systems. */
  inodesMove: z.boolean(),
  files: z.record(z.string(), entrySchema),
});
type Entry = z.infer<typeof entrySchema>;

/**
 * Facts about a file are reused only if they were recorded at least this long after the file's last write, in
 * milliseconds. A second write within this time might leave the file's stamp unchanged, and would then go unnoticed.
 */
const settlesAfterMs = 2_000;

/**
 * Number of new entries after which the cache is saved. If the process is killed, the entries that are not saved are
 * lost, and their files have to be read again.
 */
const saveEvery = 100;
const saveEveryMs = 1_000;
/**
 * Saving the cache may take at most 1/20 of the running time. The limit is needed because every save writes the whole
 * cache.
 */
const shareOfSaving = 20;

/**
 * Caches facts about local files, so that unchanged files need not be read again. A file counts as unchanged if its
 * path and its whole stamp are the same. If the cache is lost, the files only have to be read again.
 *
 * On some file systems, a file's inode number changes although the file does not. The cache detects this: the inode
 * number differs, but all times and the content are as before. From then on, it ignores inode numbers.
 */
export class FileCache {
  private unsaved = 0;
  private savedAt = performance.now();
  private savingTookMs = 0;
  private saving = false;

  private constructor(
    private readonly store: LocalEtl,
    private readonly name: string,
    private readonly entries: Map<string, Entry>,
    private inodesMove: boolean,
  ) {}

  static async open(store: LocalEtl, name: string): Promise<FileCache> {
    try {
      const found = await readState(store, name, cacheSchema);
      return new FileCache(
        store,
        name,
        new Map(Object.entries(found?.files ?? {})),
        found?.inodesMove ?? false,
      );
    } catch (error) {
      if (!isFederationError(error, 'LOCAL_STATE_UNREADABLE')) throw error;
      return new FileCache(store, name, new Map(), false);
    }
  }

  /** Returns the facts about a file if it is unchanged. Returns undefined if the file must be read. */
  of(file: FileStamp): Facts | undefined {
    const entry = this.entries.get(file.path);
    if (entry === undefined || !entry.settled || !hasSameTimes(entry, file)) return undefined;
    return this.inodesMove || entry.inode === file.inode ? entry : undefined;
  }

  /** Returns the last known facts about a file, even if the file has changed since. */
  last(path: string): Facts | undefined {
    return this.entries.get(path);
  }

  note(file: FileStamp, facts: Facts): void {
    const { path, size, mtimeMs, ctimeMs, inode } = file;
    const before = this.entries.get(path);
    if (before?.digest === facts.digest && hasSameTimes(before, file))
      this.inodesMove ||= before.inode !== inode;
    const settled = Date.now() - mtimeMs > settlesAfterMs;
    this.entries.set(path, { ...facts, size, mtimeMs, ctimeMs, inode, settled });
    this.unsaved++;
  }

  /** Removes the entries of all files that a scan did not find, except files in places that the scan skipped. */
  keepOnly(found: ReadonlySet<string>, passedOver: PassedOverPlaces): void {
    for (const path of this.entries.keys())
      if (!found.has(path) && !passedOver.hides(path)) this.entries.delete(path);
  }

  /** Returns the files that may not be pushed, each with the reason. */
  refused(): { path: string; why: string }[] {
    return [...this.entries].flatMap(([path, { refused }]) =>
      refused === undefined ? [] : [{ path, why: refused.why }],
    );
  }

  /**
   * Returns the pushed files that contained far less data than the version that was pushed before, and how much less.
   * Ignores pushes up to `time`, in milliseconds since 1970.
   */
  shrunkSince(time: number): { path: string; why: string }[] {
    return [...this.entries].flatMap(([path, { pushed }]) =>
      pushed?.loss === undefined || pushed.loss.at <= time ? [] : [{ path, why: pushed.loss.what }],
    );
  }

  /**
   * Returns the pushed files. For each, returns its modification time, and what the file says about the agent that
   * wrote it.
   */
  pushed(): { path: string; mtimeMs: number; written: WrittenBy }[] {
    return [...this.entries].flatMap(([path, { mtimeMs, pushed }]) =>
      pushed === undefined ? [] : [{ path, mtimeMs, written: pushed.written }],
    );
  }

  /**
   * Returns how many files were pushed again after `time` because their copies had vanished from the bucket. `time` is
   * in milliseconds since 1970.
   */
  vanishedSince(time: number): number {
    return [...this.entries.values()].filter(({ vanishedAt = 0 }) => vanishedAt > time).length;
  }

  async save(): Promise<void> {
    const begun = performance.now();
    this.unsaved = 0;
    await writeStateQuickly(this.store, this.name, {
      format: 1,
      inodesMove: this.inodesMove,
      files: Object.fromEntries(this.entries),
    });
    this.savedAt = performance.now();
    this.savingTookMs = this.savedAt - begun;
  }

  /**
   * Saves the cache if it has 100 new entries, or if it has at least one new entry and a second has passed since the
   * last save. Skips the save if saving would exceed its share of the running time (see `shareOfSaving`). Call this
   * after each file.
   */
  async saveNowAndThen(): Promise<void> {
    const sinceMs = performance.now() - this.savedAt;
    const isDue = this.unsaved >= saveEvery || (this.unsaved > 0 && sinceMs >= saveEveryMs);
    if (this.saving || !isDue || sinceMs < shareOfSaving * this.savingTookMs) return;
    this.saving = true;
    try {
      await this.save();
    } finally {
      this.saving = false;
    }
  }
}

function hasSameTimes(a: Omit<Stamp, 'inode'>, b: Omit<Stamp, 'inode'>): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

export const pushCache = 'push-cache.json';
export const pullCache = 'pull-cache.json';
