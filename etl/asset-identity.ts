import type { ByteString } from './byte-string';
import type { Asset, AssetProperties, AssetType } from './model';

/** Text that takes the place of an empty value in the key of an asset. */
export const undefinedPart = '__undefined__';

/**
 * Default parts of an asset's key, for sets without aggregationKeys. `type` stands for the asset type; the others are
 * names of properties.
 */
export const usualWords = [
  'provider',
  'account',
  'project',
  'category',
  'cluster',
  'type',
  'service',
  'providerID',
  'name',
];

const propertyWords: ReadonlySet<string> = new Set(usualWords.filter((word) => word !== 'type'));

/**
 * Returns the key of an asset: the values of the key's parts, joined by `/`. A merge treats two assets with equal keys
 * as the same asset.
 *
 * @param aggregationKeys the parts of the key: names of properties, `type`, or `label:<name>`. If null or empty, the
 *   parts are `usualWords`.
 */
export function assetIdentity(asset: Asset, aggregationKeys: readonly ByteString[] | null): ByteString {
  const words = aggregationKeys?.length ? aggregationKeys : usualWords;
  return words.map((word) => part(asset, word) || undefinedPart).join('/');
}

function part(asset: Asset, word: ByteString): ByteString {
  if (word === 'type') return keyType(asset.type);
  if (word.startsWith('label:')) {
    const name = word.slice('label:'.length);
    const value = asset.labels?.get(name);
    return value ? `${name}=${value}` : '';
  }
  return isPropertyWord(word) ? (asset.properties?.[word] ?? '') : '';
}

function isPropertyWord(word: string): word is Exclude<keyof AssetProperties, 'version'> {
  return propertyWords.has(word);
}

/**
 * Returns the name of an asset type as it is written in asset keys. `SharedAsset` is written as `Shared`, and `Any` as
 * `Asset`.
 */
export function keyType(type: AssetType): string {
  if (type === 'SharedAsset') return 'Shared';
  return type === 'Any' ? 'Asset' : type;
}
