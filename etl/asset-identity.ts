import type { ByteString } from './byte-string';
import type { Asset, AssetProperties, AssetType } from './model';

/** Takes the place of an empty part in a key. */
export const undefinedPart = '__undefined__';

/** The words whose values make up a key if the set has no aggregationKeys. */
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
 * Returns the key of an asset. Two assets from different sets are the same asset if their keys are equal.
 *
 * @param aggregationKeys the words whose values make up the key: names of properties, `type` or `label:<name>`. If null
 *   or empty, `usualWords` are used.
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

/** Returns the name of an asset type as it appears in keys. */
export function keyType(type: AssetType): string {
  if (type === 'SharedAsset') return 'Shared';
  return type === 'Any' ? 'Asset' : type;
}
