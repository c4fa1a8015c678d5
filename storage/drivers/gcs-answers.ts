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
/** What is asked for of an object. */
export const objectFields = Object.keys(objectResource.shape).join(',');

/** An object as the store describes it. */
export interface GcsObject {
  readonly head: ObjectHead;
  /** CRC32C of its bytes, in base64. */
  readonly crc32c: string | undefined;
}

/** Throws a GcsFailure when it is no description of an object. */
export function objectOf(answer: unknown): GcsObject {
  const { success, data } = objectResource.safeParse(answer);
  if (!success) throw notTheStore('An object was asked for, and what came was none');
  const { name, size, generation, updated, metadata, crc32c } = data;
  const lowerCase = Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value] as const);
  const info = { key: name, size: Number(size), modified: updated, version: generation as Version };
  return { head: { ...info, metadata: Object.fromEntries(lowerCase) }, crc32c };
}

/** What a listing carries of it. */
export function infoOf({ metadata: _, ...info }: ObjectHead): ObjectInfo {
  return info;
}

/** What the headers of an object's bytes say. */
export interface GcsMedia {
  /** Of the whole object. */
  readonly size: number;
  /** Bytes of this answer. */
  readonly length: number;
  readonly version: Version;
  readonly modified: Date | undefined;
  /** Of all bytes of the object; undefined when these are only some of them. */
  readonly crc32c: string | undefined;
}

/** Throws a GcsFailure when it is no answer with an object's bytes, STORAGE_CORRUPT when they are not those asked for. */
export function mediaOf(key: string, answer: IncomingMessage, range: GetOptions['range']): GcsMedia {
  const generation = headerOf(answer, 'x-goog-generation');
  const length = headerOf(answer, 'content-length');
  if (generation === undefined || length === undefined)
    throw notTheStore('An object was asked for, and what came was none');
  const contentRange = headerOf(answer, 'content-range');
  const size = sizeByRange(key, { contentRange, contentLength: Number(length) }, range);
  const stored = headerOf(answer, 'x-goog-stored-content-length');
  if (stored !== undefined && Number(stored) !== size)
    throw storageError('STORAGE_CORRUPT', key, `The store sends ${size} bytes, and keeps ${stored}.`);
  const time = headerOf(answer, 'last-modified');
  const isPart = answer.statusCode === 206;
  return {
    size,
    length: Number(length),
    version: generation as Version,
    modified: time === undefined ? undefined : new Date(time),
    crc32c: isPart ? undefined : /\bcrc32c=([^,\s]+)/.exec(headerOf(answer, 'x-goog-hash') ?? '')?.[1],
  };
}
