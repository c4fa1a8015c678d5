import { dirname } from 'node:path';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { WindowId } from '../etl/window';
import { windowEntries, wrongDigest } from '../federation/generation-entry';
import { objectKey } from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import type { MemoryBudget } from '../storage/memory-budget';
import { mostReads } from '../storage/read-all';
import { checked } from './checked';
import { FileCache, pullCache } from './file-cache';
import { type LocalFile, statWindowFile } from './list';
import { filesByWindow } from './own-windows';
import { PassedOverPlaces, whyBehindLink } from './passed-over';
import type { Pulled } from './pulled';
import { readSteadily, sha256 } from './read';
import { removeIfSame, replaceIfSame, type Stamp } from './replace';
import { secure, type Secured, type SecureDependencies } from './secure';
import { allowed, ifThere, type LocalEtl, localPath, whyUnreadable } from './store';
import { transfersAtOnce } from './transfers';
import { syncFolder, writeTemporary } from './write';

/**
 * A window of the combined data: the fingerprint that names its object in the bucket, and the digest and size of its
 * content.
 */
export interface CombinedWindow {
  readonly fingerprint: string;
  readonly digest: string;
  readonly size: number;
}

/** A window whose local files are to be replaced, because they differ from the combined window. */
export interface Replacement {
  readonly id: WindowId;
  readonly window: CombinedWindow;
  readonly files: readonly LocalFile[];
}

export interface OverwritePlan {
  readonly replace: Replacement[];
  /**
   * Files that were pulled earlier, for windows that the newest generation (numbered version) of the combined data no
   * longer contains.
   */
  readonly remove: LocalFile[];
  readonly unchanged: number;
  /** Places that the scan of the local ETL skipped. */
  readonly passedOver: PassedOverPlaces;
}

/**
 * Result of replacing one window. Says how the content of each of its old files was preserved. `postponed` says why the
 * window was not replaced; it is undefined if the window was replaced.
 */
export interface Overwritten {
  readonly secured: readonly SecuredFile[];
  readonly postponed?: string;
}
export type SecuredFile = Secured & { readonly path: string };

export interface OverwriterDependencies {
  readonly combined: BucketReader;
  readonly store: LocalEtl;
  readonly pulled: Pulled;
  readonly budget: MemoryBudget;
}

/** Returns the size in bytes of the largest file that is read or written when a window is replaced. */
export function largestOf({ window, files }: Replacement): number {
  return Math.max(window.size, ...files.map(({ size }) => size));
}

/**
 * Replaces local files with windows of the combined data. Before each replacement, ensures that the old content is not
 * lost.
 */
export class Overwriter {
  private readonly combined: BucketReader;
  private readonly store: LocalEtl;
  private readonly pulled: Pulled;
  private readonly budget: MemoryBudget;
  /** Folders with renamed files, which `finish` must sync to make the renames durable. */
  private readonly changed = new Set<string>();

  private constructor(
    { combined, store, pulled, budget }: OverwriterDependencies,
    private readonly cache: FileCache,
  ) {
    this.combined = combined;
    this.store = store;
    this.pulled = pulled;
    this.budget = budget;
  }

  static async open(deps: OverwriterDependencies): Promise<Overwriter> {
    return new Overwriter(deps, await FileCache.open(deps.store, pullCache));
  }

  /**
   * Compares the digests of the combined windows with those of the local files. Returns the windows to replace and the
   * files to remove.
   */
  async plan(
    windows: Readonly<Record<string, CombinedWindow>>,
    signal: AbortSignal,
    heartbeat: (details: unknown) => void,
  ): Promise<OverwritePlan> {
    const passedOver = new PassedOverPlaces();
    const local = await filesByWindow(this.store, { signal, passOver: passedOver.add });
    const plan = { replace: [] as Replacement[], remove: [] as LocalFile[], unchanged: 0, passedOver };
    await mapConcurrently(windowEntries(windows), transfersAtOnce, async ([id, window]) => {
      signal.throwIfAborted();
      heartbeat({ compared: id });
      const files = local.get(id) ?? [];
      const [file, ...others] = files;
      // A window should have exactly one file, at the path `id`. If it has several files, or one at another path,
      // replace the window even if the content is right. Otherwise the window would exist twice, or in the wrong place.
      const inPlace = file !== undefined && others.length === 0 && file.path === id;
      if (inPlace && (await this.digestOf(file, signal)) === window.digest) plan.unchanged++;
      else plan.replace.push({ id, window, files });
      await this.cache.saveNowAndThen();
    });
    for (const id of await this.pulled.everPulled()) {
      if (Object.hasOwn(windows, id)) continue;
      const file = local.get(id)?.find(({ path }) => path === id);
      if (file !== undefined && (await this.pulled.stampIfPulled(id)) !== undefined) plan.remove.push(file);
    }
    this.cache.keepOnly(new Set([...local.values()].flat().map(({ path }) => path)), passedOver);
    return plan;
  }

  /**
   * Replaces the local files of one window, unless one of them is being written. The caller must hold the window's lock
   * and must have reserved as many bytes of the memory budget as `largestOf` returns.
   */
  async replace(
    { id, window, files }: Replacement,
    deps: SecureDependencies,
    signal: AbortSignal,
  ): Promise<Overwritten> {
    const secured: SecuredFile[] = [];
    const postponed = await whyBehindLink(this.store, id);
    if (postponed !== undefined) return { secured, postponed };
    for (const path of new Set([id, ...files.map((file) => file.path)])) {
      const one = await secure(deps, path);
      secured.push({ ...one, path });
      if (one.kind === 'busy') return { secured, postponed: path === id ? one.why : `${path}: ${one.why}` };
    }
    const target = localPath(this.store, id);
    let written: string;
    try {
      written = await this.fetch(window, target, signal);
    } catch (error) {
      const postponed = whyNotWritten(error);
      if (postponed === undefined) throw error;
      return { secured, postponed };
    }
    if (!(await replaceIfSame(written, target, stampOf(secured, id))))
      return { secured, postponed: 'It is being written.' };
    this.changed.add(dirname(target));
    for (const { path } of files) {
      if (path !== id) await removeIfSame(localPath(this.store, path), stampOf(secured, path));
    }
    const file = await statWindowFile(this.store, id);
    if (file?.size === window.size) this.cache.note(file, { digest: window.digest });
    await this.cache.saveNowAndThen();
    return { secured };
  }

  /**
   * Removes a file if its current content was pulled; otherwise keeps it. The caller must hold the lock of the file's
   * window and must have reserved the file's size in the memory budget.
   */
  async remove({ path }: LocalFile): Promise<{ removed: boolean; postponed?: string }> {
    const stamp = await this.pulled.stampIfPulled(path);
    if (stamp === undefined) return { removed: false };
    const at = localPath(this.store, path);
    try {
      return { removed: await allowed(at, removeIfSame(at, stamp)) };
    } catch (error) {
      const postponed = whyNotWritten(error);
      if (postponed === undefined) throw error;
      return { removed: false, postponed };
    }
  }

  /** Syncs the folders of replaced files, so that the replacements survive a crash. Then saves the cache. */
  async finish(): Promise<void> {
    for (const folder of this.changed) await ifThere(syncFolder(folder));
    this.changed.clear();
    await this.cache.save();
  }

  private async digestOf(file: LocalFile, signal: AbortSignal): Promise<string | undefined> {
    const known = this.cache.of(file);
    if (known !== undefined) return known.digest;
    return this.budget.within(file.size, signal, async () => {
      const read = await readSteadily(localPath(this.store, file.path));
      if (read.kind !== 'read') return undefined;
      const digest = sha256(read.bytes);
      this.cache.note({ ...file, ...read.stamp }, { digest });
      return digest;
    });
  }

  private async fetch(window: CombinedWindow, target: string, signal: AbortSignal): Promise<string> {
    const key = objectKey(window.fingerprint);
    const wrong = wrongDigest(key);
    const open = async () => (await this.combined.get(key, { signal })).body;
    for (let reads = 1; ; reads++) {
      try {
        return await writeTemporary(
          target,
          checked(open, window, () => wrong),
        );
      } catch (error) {
        // The bytes may have changed on the way.
        if (error === wrong && reads < mostReads) continue;
        if (!isFederationError(error, 'STORAGE_NOT_FOUND')) throw error;
        throw new FederationError('GENERATION_UNREADABLE', {
          subject: { key },
          detail: 'The object is missing.',
          cause: error,
        });
      }
    }
  }
}

/** Returns why a file could not be written, if the reason concerns only this file or its folder. */
function whyNotWritten(error: unknown): string | undefined {
  if (!isFederationError(error, 'LOCAL_ETL_REFUSED') || whyUnreadable(error.cause) === undefined)
    return undefined;
  return error.detail;
}

function stampOf(secured: readonly SecuredFile[], path: string): Stamp | undefined {
  const found = secured.find((one) => one.path === path);
  return found !== undefined && 'stamp' in found ? found.stamp : undefined;
}
