import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, realpath, stat as statPath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { FederationError } from '../../errors/federation-error';
import { closingBody, watchBody, type WatchedBody } from '../body';
import type {
  Bucket,
  CallOptions,
  GetOptions,
  ListEntry,
  ListOptions,
  ObjectBody,
  ObjectHead,
  ObjectInfo,
  PutOptions,
} from '../bucket';
import { checkKey, checkPrefix } from '../check-key';
import { checkMetadata } from '../check-metadata';
import { driverCall } from '../driver-call';
import { checkRange, resolveRange } from '../range';
import { changed, missing } from '../store-failure';
import * as files from './filesystem-files';
import {
  createByLink,
  createUnderLock,
  hasNoLinks,
  land,
  type Landing,
  type Place,
  placeOf,
  replace,
} from './filesystem-landing';
import { headAt, readChunks } from './filesystem-read';
import { sweep, walk } from './filesystem-walk';

/**
 * Schema of the `config` of a FILESYSTEM store. A relative `directory` is relative to the working directory of the
 * process.
 */
export const filesystemConfig = z.strictObject({
  directory: z
    .string()
    .min(1, 'a folder is needed')
    .transform((directory) => resolve(directory)),
});
export type FilesystemConfig = z.output<typeof filesystemConfig>;

export interface FilesystemOptions {
  /** Called with a warning for each folder that is skipped because it is behind a symbolic link. */
  readonly warn?: (message: string) => void;
  /** False if the file system does not support hard links. (Default: detected by the first `create`) */
  readonly hardLinks?: boolean;
}

/**
 * Opens a folder as a bucket. Several processes may write to it at once if the file system renames files and creates
 * hard links atomically, as all local file systems and NFS 4 do. The folder must exist. It is never created, because an
 * unmounted volume would then look like an empty bucket.
 */
export function openFilesystem(config: FilesystemConfig, options: FilesystemOptions = {}): Bucket {
  return new FilesystemBucket(config.directory, options);
}

// Open files without following links (O_NOFOLLOW), and without waiting if the path is a pipe (O_NONBLOCK).
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

class FilesystemBucket implements Bucket {
  readonly type = 'FILESYSTEM';
  readonly label: string;
  readonly #directory: string;
  readonly #warn: (message: string) => void;
  readonly #closing = new AbortController();
  readonly #sweeping: Promise<void>;
  readonly #linksSeen = new Set<string>();
  #hardLinks: boolean;

  constructor(directory: string, options: FilesystemOptions) {
    this.#directory = directory;
    this.label = pathToFileURL(directory).href;
    this.#warn = options.warn ?? (() => undefined);
    this.#hardLinks = options.hardLinks ?? true;
    // Remove leftover files in the background. Ignore errors, because leftover files do no harm.
    this.#sweeping = this.#root()
      .then((root) => sweep(root, this.#closing.signal))
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListEntry> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    options.onPage?.();
    try {
      const root = await this.#root();
      const folder = join(root, prefix.slice(0, prefix.lastIndexOf('/') + 1), '.');
      if (folder === root || (await this.#isRealFolder(folder))) yield* walk(root, prefix, options);
    } catch (error) {
      throw this.#failure(error, 'list', prefix, options);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    return this.#call(key, 'look', options, async () => {
      const place = await this.#find(key);
      return place && headAt(place, this.#warn);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody> {
    checkRange(key, options.range);
    return this.#call(key, 'read', options, async () => {
      const place = await this.#find(key);
      const handle = place && (await files.orAbsent(open(place.path, readFlags)));
      if (place === undefined || handle === undefined) throw missing(key);
      try {
        const stat = await handle.stat({ bigint: true });
        if (!stat.isFile()) throw missing(key);
        const head = files.infoOf(key, stat);
        if (options.version !== undefined && options.version !== head.version) throw changed(key);
        const range = resolveRange(key, options.range, head.size);
        const failure = (error: unknown) => this.#failure(error, 'read', key, options);
        const chunks = readChunks({ handle, head, range, failure, signal: options.signal });
        const metadata = (await files.readMetadata(place.folder, head.version, this.#warn)) ?? {};
        return { head: { ...head, metadata }, body: closingBody(chunks, () => handle.close()) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, replace);
  }

  async create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, async (temp, place) => {
      if (!this.#hardLinks) return createUnderLock(temp, place);
      try {
        await createByLink(temp, place);
      } catch (error) {
        if (!hasNoLinks(error)) throw error;
        this.#hardLinks = false;
        await createUnderLock(temp, place);
      }
    });
  }

  async #write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
    landing: Landing,
  ): Promise<ObjectInfo> {
    checkMetadata(key, options.metadata);
    const watched = watchBody(body, options.signal);
    const fill = async (handle: FileHandle) => {
      for await (const chunk of watched.chunks) await writeWhole(handle, chunk);
      options.signal?.throwIfAborted();
    };
    return this.#call(
      key,
      'write',
      options,
      async () => land(placeOf(await this.#root(), key), fill, options.metadata ?? {}, landing),
      watched,
    );
  }

  async copy(from: string, to: string, options: CallOptions = {}): Promise<ObjectInfo> {
    checkKey(to);
    return this.#call(from, 'copy', options, async () => {
      const place = await this.#find(from);
      const head = place && (await headAt(place, this.#warn));
      if (place === undefined || head === undefined) throw missing(from);
      if (from === to) return head;
      // Copy the bytes instead of creating a hard link. With a link, a program that writes one of the two files in
      // place would change both.
      const fill = async (_handle: FileHandle, temp: string) => {
        await copyFile(place.path, temp, constants.COPYFILE_FICLONE);
        const after = await files.lstatFile(place.path);
        if (after === undefined) throw missing(from);
        if (files.versionOf(after) !== head.version) throw changed(from);
      };
      return land(placeOf(place.root, to), fill, head.metadata, replace);
    });
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(key, 'delete', options, async () => {
      const place = await this.#find(key);
      const stat = place && (await files.lstatFile(place.path));
      if (place === undefined || stat === undefined) return;
      await files.removeFile(place.path);
      await files.removeFile(files.metadataPath(place.folder, files.versionOf(stat)));
      await files.syncFolder(place.folder);
      await files.removeEmptyFolders(place.root, place.folder);
    });
  }

  #call<T>(
    key: string,
    verb: string,
    options: CallOptions,
    run: () => Promise<T>,
    body?: WatchedBody,
  ): Promise<T> {
    return driverCall({
      key,
      signal: options.signal,
      run,
      body,
      failure: (error) => this.#failure(error, verb, key, options),
    });
  }

  #failure(error: unknown, verb: string, key: string, { signal }: CallOptions): unknown {
    return signal?.aborted === true ? signal.reason : files.toStorageError(error, this.label, verb, key);
  }

  /** Returns the real path of the bucket's folder. The configured path may be a link, as in Kubernetes volumes. */
  async #root(): Promise<string> {
    const root = await files.orAbsent(realpath(this.#directory));
    if (root !== undefined && (await statPath(root)).isDirectory()) return root;
    throw new FederationError('STORAGE_BUCKET_NOT_FOUND', { detail: `There is no folder ${this.label}.` });
  }

  /**
   * Returns the location of an object. Returns undefined if the object's folder does not exist or is behind a symbolic
   * link.
   */
  async #find(key: string): Promise<Place | undefined> {
    const place = placeOf(await this.#root(), key);
    return place.folder === place.root || (await this.#isRealFolder(place.folder)) ? place : undefined;
  }

  /**
   * Returns true if a folder exists and its path contains no symbolic links. A folder behind a link may be outside of
   * the root, so it is treated as missing.
   */
  async #isRealFolder(folder: string): Promise<boolean> {
    const real = await files.orAbsent(realpath(folder));
    if (real !== undefined && real !== folder && !this.#linksSeen.has(folder)) {
      this.#linksSeen.add(folder);
      this.#warn(`${this.label}: passed over ${folder}, which is behind a symbolic link.`);
    }
    return real === folder;
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
}
