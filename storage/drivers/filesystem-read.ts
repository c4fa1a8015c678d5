import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ObjectHead, ObjectInfo } from '../bucket';
import { changed } from '../store-failure';
import * as files from './filesystem-files';
import type { Place } from './filesystem-landing';

const chunkSize = 256 * 1024;

/** Returns an object's entry and its metadata, both of the same version; undefined if there is no object. */
export async function headAt(place: Place): Promise<ObjectHead | undefined> {
  for (;;) {
    const stat = await files.lstatFile(place.path);
    if (stat === undefined) return undefined;
    const metadata = await files.readMetadata(place.folder, files.versionOf(stat));
    // Metadata is missing if the object has none, or if the object was replaced since `lstatFile`. In the latter case,
    // read again.
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
  /** Maps a file system error to a catalogued error. */
  readonly failure: (error: unknown) => unknown;
}

/** Reads a range of a file in chunks. Throws STORAGE_CONFLICT at the end if the file has changed meanwhile. */
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
    // OpenCost's own file storage truncates files and writes them in place, so the bytes read may be a mix of old and
    // new ones.
    const after = await handle.stat({ bigint: true });
    if (files.versionOf(after) !== head.version) throw changed(head.key);
  } catch (error) {
    throw failure(error);
  }
}
