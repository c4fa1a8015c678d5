import type { ByteString } from './byte-string';
import type { Asset, AssetProperties, AssetType } from './model';

/** What an empty part of a key is written as. */
export const undefinedPart = '__undefined__';

/** The words of a key when the set has no aggregationKeys. */
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
 * The key of an asset, by which assets of many sets are the same one.
 *
 * @param aggregationKeys the words that the key is made of: names of properties, `type`, `label:<name>`; null or
 *   empty for the usual ones
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

/** A type as keys name it. */
export function keyType(type: AssetType): string {
  if (type === 'SharedAsset') return 'Shared';
  return type === 'Any' ? 'Asset' : type;
}
