import type { GetOptions, ObjectInfo, Version } from '../bucket';
import { storageError } from '../store-failure';

interface Answer {
  readonly ETag?: string;
  readonly ContentLength?: number;
  readonly LastModified?: Date;
}

export function infoOf(key: string, answer: Answer): ObjectInfo {
  const { ETag, ContentLength = 0, LastModified = new Date(0) } = answer;
  if (ETag === undefined) {
    throw storageError(
      'STORAGE_UNAVAILABLE',
      key,
      'The answer has no ETag: it is hardly from the store itself.',
    );
  }
  return { key, size: ContentLength, modified: LastModified, version: ETag as Version };
}

export function rangeHeader(range: GetOptions['range']): string | undefined {
  if (range === undefined) return undefined;
  const end = range.length === undefined ? '' : range.offset + range.length - 1;
  return `bytes=${range.offset}-${end}`;
}
