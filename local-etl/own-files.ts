import { isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { parseWindowFile, type WindowId, windowId } from '../etl/window';
import type { SavedFile } from '../federation/backup-manifest';
import { clusterEtlKey, clusterEtlPrefix, parseEtlKey } from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import { readWhole } from '../storage/read-all';
import { fetchBackedUp, listBackups, readManifest } from './backup';
import { judgeContent } from './read';
import { writeTemporary } from './write';

export interface OwnFilesDependencies {
  /**
   * Bucket that contains the folder to which the cluster pushes its own files. If undefined, files are restored from
   * backups only.
   */
  folder: BucketReader | undefined;
  /** Bucket or folder with the cluster's backups; undefined if there are none. */
  backups: BucketReader | undefined;
  cluster: ClusterId;
  /** Maximum unpacked size of a gzipped file, in bytes. */
  mostUnpacked?: number;
  signal: AbortSignal;
}

/**
 * A saved copy of one of the cluster's own files. `fetch` writes its verified content to a temporary file next to
 * `target` and returns the path of the temporary file.
 */
export interface OwnFile {
  readonly path: string;
  readonly fetch: (target: string) => Promise<string>;
}

interface InFolder {
  readonly path: string;
  readonly size: number;
}

interface SavedIn extends SavedFile {
  readonly backup: string;
  readonly path: string;
}

/**
 * Finds saved copies of the cluster's own files: in the cluster's folder in the bucket, and in the cluster's backups.
 */
export class OwnFiles {
  private constructor(
    private readonly deps: OwnFilesDependencies,
    private readonly folder: ReadonlyMap<WindowId, readonly InFolder[]>,
    private readonly saved: ReadonlyMap<WindowId, readonly SavedIn[]>,
  ) {}

  static async open(deps: OwnFilesDependencies): Promise<OwnFiles> {
    return new OwnFiles(deps, await listFolder(deps), await listSaved(deps));
  }

  /** Returns the size of a window's largest saved file in bytes, or 0 if there is none. */
  largestOf(id: WindowId): number {
    const kept = [...(this.folder.get(id) ?? []), ...(this.saved.get(id) ?? [])];
    return Math.max(0, ...kept.map(({ size }) => size));
  }

  /** Returns a window's files in the cluster's folder in the bucket. If any of them is incomplete, returns none. */
  async fromFolder(id: WindowId): Promise<OwnFile[]> {
    const files: OwnFile[] = [];
    for (const { path } of this.folder.get(id) ?? []) {
      const bytes = await this.complete(id, path);
      if (bytes === undefined) return [];
      files.push({ path, fetch: (target) => writeTemporary(target, bytes) });
    }
    return files;
  }

  /** Returns a window's files from the newest backup that contains any of them. */
  fromBackup(id: WindowId): OwnFile[] {
    const { backups: place, cluster, signal } = this.deps;
    if (place === undefined) return [];
    return (this.saved.get(id) ?? []).map(({ backup, path, ...saved }) => ({
      path,
      fetch: (target) => fetchBackedUp({ place, cluster, signal }, backup, path, saved, target),
    }));
  }

  private async complete(id: WindowId, path: string): Promise<Uint8Array | undefined> {
    const { folder, cluster, mostUnpacked, signal } = this.deps;
    const file = parseWindowFile(path);
    if (folder === undefined || file === undefined) return undefined;
    const key = clusterEtlKey(cluster, path);
    try {
      const { bytes } = await readWhole(folder, key, { signal, maxBytes: Number.MAX_SAFE_INTEGER });
      return judgeContent(file.ref.pipeline, bytes, mostUnpacked).kind === 'complete' ? bytes : undefined;
    } catch (error) {
      if (isFederationError(error, 'STORAGE_CORRUPT')) return undefined;
      throw error;
    }
  }
}

async function listFolder({
  folder,
  cluster,
  signal,
}: OwnFilesDependencies): Promise<Map<WindowId, InFolder[]>> {
  const found = new Map<WindowId, InFolder[]>();
  if (folder === undefined) return found;
  const prefix = clusterEtlPrefix(cluster);
  for await (const entry of folder.list(prefix, { signal })) {
    const file = entry.kind === 'object' ? parseEtlKey(prefix, entry.key) : undefined;
    if (entry.kind !== 'object' || file === undefined) continue;
    const id = windowId(file.ref);
    const path = entry.key.slice(prefix.length);
    found.set(id, [...(found.get(id) ?? []), { path, size: entry.size }]);
  }
  return found;
}

async function listSaved({
  backups,
  cluster,
  signal,
}: OwnFilesDependencies): Promise<Map<WindowId, SavedIn[]>> {
  const found = new Map<WindowId, SavedIn[]>();
  if (backups === undefined) return found;
  for (const { name } of await listBackups(backups, cluster, { signal })) {
    const { files } = await readManifest(backups, cluster, name, signal);
    const ofThis = new Map<WindowId, SavedIn[]>();
    for (const [path, saved] of Object.entries(files)) {
      const file = parseWindowFile(path);
      if (file === undefined) continue;
      const id = windowId(file.ref);
      ofThis.set(id, [...(ofThis.get(id) ?? []), { ...saved, backup: name, path }]);
    }
    // Backups are listed oldest first, so the files of a newer backup replace those of an older one.
    for (const [id, files] of ofThis) found.set(id, files);
  }
  return found;
}
