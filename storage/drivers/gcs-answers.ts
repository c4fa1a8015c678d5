import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { GetOptions, ObjectHead, ObjectInfo, Version } from '../bucket';
import { sizeByRange } from '../range';
import { storageError } from '../store-failure';
import { headerOf } from './gcs-client';
import { notTheStore } from './gcs-errors';

const digits = z.string().regex(/^\d+$/);

const objectResource = z.object({
  name: z.string(),
  size: digits,
  generation: digits,
  updated: z.coerce.date(),
  metadata: z.record(z.string(), z.string()).default({}),
  crc32c: z.string().optional(),
});
/** Value of the query parameter `fields`: the names of the object's fields that the store should return. */
export const objectFields = Object.keys(objectResource.shape).join(',');

/** An object as described by the store. */
export interface GcsObject {
  readonly head: ObjectHead;
  /** CRC32C of the object's bytes, in base64; undefined if the store did not return one. */
  readonly crc32c: string | undefined;
}

/** Parses a JSON response that describes an object. Throws a GcsFailure if the response does not describe one. */
export function objectOf(answer: unknown): GcsObject {
  const { success, data } = objectResource.safeParse(answer);
  if (!success) throw notTheStore('The answer does not describe an object');
  const { name, size, generation, updated, metadata, crc32c } = data;
  const lowerCase = Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value] as const);
  const info = { key: name, size: Number(size), modified: updated, version: generation as Version };
  return { head: { ...info, metadata: Object.fromEntries(lowerCase) }, crc32c };
}

/** Removes the metadata from an `ObjectHead`. The remaining fields are those that a listing also contains. */
export function infoOf({ metadata: _, ...info }: ObjectHead): ObjectInfo {
  return info;
}

/** Details of an object, from the headers of the response to a download. */
export interface GcsMedia {
  /** Size of the whole object, in bytes. */
  readonly size: number;
  /** Number of bytes in this response, which may contain only a range of the object. */
  readonly length: number;
  readonly version: Version;
  readonly modified: Date | undefined;
  /**
   * CRC32C of the whole object, in base64. Undefined if the response contains only a range of the object, or if the
   * store sent no CRC32C.
   */
  readonly crc32c: string | undefined;
  /** The object's metadata, by name. */
  readonly metadata: ObjectHead['metadata'];
}

const metadataHeader = 'x-goog-meta-';

/**
 * Parses the headers of a download. Throws a GcsFailure if the response is not a download, and STORAGE_CORRUPT if it
 * does not contain the requested range.
 */
export function mediaOf(key: string, answer: IncomingMessage, range: GetOptions['range']): GcsMedia {
  const generation = headerOf(answer, 'x-goog-generation');
  const length = headerOf(answer, 'content-length');
  if (generation === undefined || length === undefined)
    throw notTheStore('The answer is not a download of an object');
  const contentRange = headerOf(answer, 'content-range');
  const size = sizeByRange(key, { contentRange, contentLength: Number(length) }, range);
  const stored = headerOf(answer, 'x-goog-stored-content-length');
  if (stored !== undefined && Number(stored) !== size)
    throw storageError(
      'STORAGE_CORRUPT',
      key,
      `The store sends ${size} bytes of an object that it stores with ${stored}.`,
    );
  const time = headerOf(answer, 'last-modified');
  const isPart = answer.statusCode === 206;
  const metadata = Object.keys(answer.headers)
    .filter((name) => name.startsWith(metadataHeader))
    .map((name) => [name.slice(metadataHeader.length), headerOf(answer, name) ?? ''] as const);
  return {
    size,
    length: Number(length),
    version: generation as Version,
    modified: time === undefined ? undefined : new Date(time),
    crc32c: isPart ? undefined : /\bcrc32c=([^,\s]+)/.exec(headerOf(answer, 'x-goog-hash') ?? '')?.[1],
    metadata: Object.fromEntries(metadata),
  };
}
