import { embedded, optional, str } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { kept } from './merge-parts';
import type { AssetProperties, StringMap } from './model';
import { assetVersions } from './versions';

const fields = {
  category: field(str, kept),
  provider: field(str, kept),
  account: field(str, kept),
  project: field(str, kept),
  service: field(str, kept),
  cluster: field(str, kept),
  name: field(str, kept),
  providerID: field(str, kept),
} satisfies Description<AssetProperties, void>;

/** Names of an asset's properties, in file order. Every property is a string. */
export const propertyOrder = Object.keys(fields) as (keyof typeof fields)[];

/** Codec of an asset's properties. Null means that the asset has none. */
export const assetProperties = optional(embedded(described<AssetProperties>(assetVersions, fields)));

const add = adding<AssetProperties, void, typeof fields>(fields, nothingOwn);

/** Merges the properties of two assets. Returns null if `a` or `b` is null. */
export function mergeAssetProperties(
  a: AssetProperties | null,
  b: AssetProperties | null,
): AssetProperties | null {
  return a === null || b === null ? null : add(a, b);
}

/** Returns the labels that have the same value in `a` and `b`. Returns null if `a` or `b` is null. */
export function sharedLabels(a: StringMap | null, b: StringMap | null): StringMap | null {
  if (a === null || b === null) return null;
  return new Map([...a].filter(([key, value]) => b.get(key) === value));
}
