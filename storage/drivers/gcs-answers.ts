import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { GetOptions, ObjectHead, Version } from '../bucket';
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
  const total = /^bytes (\d+)-\d+\/(\d+)$/.exec(headerOf(answer, 'content-range') ?? '');
  const isPart = answer.statusCode === 206 && total !== null;
  const size = Number(isPart ? total[2] : length);
  const start = Number(isPart ? total[1] : 0);
  const wanted = Math.min(range?.length ?? size, size - (range?.offset ?? 0));
  if (start !== (range?.offset ?? 0) || Number(length) !== wanted)
    throw storageError('STORAGE_CORRUPT', key, 'Other bytes came than the range that was asked for.');
  const stored = headerOf(answer, 'x-goog-stored-content-length');
  if (stored !== undefined && Number(stored) !== size)
    throw storageError('STORAGE_CORRUPT', key, `The store sends ${size} bytes, and keeps ${stored}.`);
  const time = headerOf(answer, 'last-modified');
  return {
    size,
    length: Number(length),
    version: generation as Version,
    modified: time === undefined ? undefined : new Date(time),
    crc32c: isPart ? undefined : /\bcrc32c=([^,\s]+)/.exec(headerOf(answer, 'x-goog-hash') ?? '')?.[1],
  };
}

export function rangeHeader(range: GetOptions['range']): string | undefined {
  if (range === undefined) return undefined;
  const end = range.length === undefined ? '' : range.offset + range.length - 1;
  return `bytes=${range.offset}-${end}`;
}
