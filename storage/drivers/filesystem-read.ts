import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ObjectHead, ObjectInfo } from '../bucket';
import { changed } from '../store-failure';
import * as files from './filesystem-files';
import type { Place } from './filesystem-landing';

const chunkSize = 256 * 1024;

/**
 * Returns an object's size, time, version and metadata, or undefined if the object does not exist. All values belong to
 * the same version.
 */
export async function headAt(place: Place, warn: (message: string) => void): Promise<ObjectHead | undefined> {
  for (;;) {
    const stat = await files.lstatFile(place.path);
    if (stat === undefined) return undefined;
    const metadata = await files.readMetadata(place.folder, files.versionOf(stat), warn);
    // If there is no metadata file, there are two cases: the object has no metadata, or the object was replaced after
    // `lstatFile`. In the second case, read again.
    if (metadata !== undefined || (await isStill(place, stat))) {
      return { ...files.infoOf(place.key, stat), metadata: metadata ?? {} };
    }
  }
}

async function isStill(place: Place, stat: BigIntStats): Promise<boolean> {
  const now = await files.lstatFile(place.path);
  return now !== undefined && files.versionOf(now) === files.versionOf(stat);
}

export interface Reading {
  readonly handle: FileHandle;
  readonly head: ObjectInfo;
  readonly range: { readonly start: number; readonly end: number };
  readonly signal?: AbortSignal;
  /** Converts a file system error to a FederationError. */
  readonly failure: (error: unknown) => unknown;
}

/**
 * Reads a range of a file in chunks. Throws STORAGE_CONFLICT, at the latest after the last chunk, if the file has
 * changed since it was opened.
 */
export async function* readChunks(reading: Reading): AsyncGenerator<Uint8Array> {
  const { handle, head, range, signal, failure } = reading;
  try {
    for (let position = range.start; position < range.end;) {
      signal?.throwIfAborted();
      const buffer = Buffer.allocUnsafe(Math.min(chunkSize, range.end - position));
      const { bytesRead } = await handle.read(buffer, { position });
      if (bytesRead === 0) throw changed(head.key);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    // OpenCost's own file storage truncates a file and then rewrites it in place. If that happened during the read, the
    // bytes are a mix of old and new content.
    const after = await handle.stat({ bigint: true });
    if (files.versionOf(after) !== head.version) throw changed(head.key);
  } catch (error) {
    throw failure(error);
  }
}
