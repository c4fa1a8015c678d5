import type { ObjectInfo, Version } from '../bucket';
import { withoutEtag } from '../store-failure';

interface Answer {
  readonly ETag?: string;
  readonly ContentLength?: number;
  readonly LastModified?: Date;
}

export function infoOf(key: string, answer: Answer): ObjectInfo {
  const { ETag, ContentLength = 0, LastModified = new Date(0) } = answer;
  if (ETag === undefined) throw withoutEtag(key);
  return { key, size: ContentLength, modified: LastModified, version: ETag as Version };
}
