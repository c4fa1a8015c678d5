import type { ObjectInfo, Version } from '../bucket';
import { withoutEtag } from '../store-failure';

interface Answer {
  readonly etag?: string | undefined;
  readonly contentLength?: number | undefined;
  readonly lastModified?: Date | undefined;
}

/** An ETag stands in quotes in headers, and without them in listings. */
export function versionOf(etag: string): Version {
  return etag.replace(/^"|"$/g, '') as Version;
}

/** The version as a condition of a request. */
export function ifMatch(version: Version): { ifMatch: string } {
  return { ifMatch: `"${version}"` };
}

/** STORAGE_UNAVAILABLE for an answer without an ETag. */
export function infoOf(key: string, { etag, contentLength = 0, lastModified }: Answer): ObjectInfo {
  if (etag === undefined) throw withoutEtag(key);
  return { key, size: contentLength, modified: lastModified ?? new Date(0), version: versionOf(etag) };
}

/** Metadata has names that could be variables: a hyphen, which ours may have, is an underscore there. */
export function toAzureMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return renamed(metadata, (name) => name.replaceAll('-', '_'));
}

export function fromAzureMetadata(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  return renamed(metadata, (name) => name.toLowerCase().replaceAll('_', '-'));
}

function renamed(metadata: Readonly<Record<string, string>>, rename: (name: string) => string) {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [rename(name), value]));
}
