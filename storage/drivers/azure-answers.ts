import type { ObjectInfo, Version } from '../bucket';
import { withoutEtag } from '../store-failure';

interface Answer {
  readonly etag?: string | undefined;
  readonly contentLength?: number | undefined;
  readonly lastModified?: Date | undefined;
}

/** Converts an ETag to a version. Removes the quotes, because Azure adds them in headers but not in listings. */
export function versionOf(etag: string): Version {
  return etag.replace(/^"|"$/g, '') as Version;
}

/** Returns the condition for a request that must fail if the object no longer has this version. */
export function ifMatch(version: Version): { ifMatch: string } {
  return { ifMatch: `"${version}"` };
}

/**
 * Extracts an object's size, modification time and version from a response. Throws STORAGE_UNAVAILABLE if the response
 * has no ETag.
 */
export function infoOf(key: string, { etag, contentLength = 0, lastModified }: Answer): ObjectInfo {
  if (etag === undefined) throw withoutEtag(key);
  return { key, size: contentLength, modified: lastModified ?? new Date(0), version: versionOf(etag) };
}

/** Renames metadata for Azure. Azure accepts only identifiers as metadata names, so a hyphen becomes an underscore. */
export function toAzureMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return renamed(metadata, (name) => name.replaceAll('-', '_'));
}

export function fromAzureMetadata(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  return renamed(metadata, (name) => name.toLowerCase().replaceAll('_', '-'));
}

function renamed(metadata: Readonly<Record<string, string>>, rename: (name: string) => string) {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [rename(name), value]));
}
