import { type AliasName, aliasNames } from './request';
import { sanitizeKey } from './sanitize';

/** The label (or annotation) of each alias; several keys are separated by commas. */
export type Aliases = Readonly<Record<AliasName, string>>;

/** Kubecost's defaults. */
export const defaultAliases: Aliases = {
  department: 'department',
  environment: 'env',
  owner: 'owner',
  product: 'app',
  team: 'team',
};

/** The sanitised keys of an alias, at least one; undefined if the word is not an alias. */
export function aliasKeys(word: string, aliases: Aliases): string[] | undefined {
  const name = aliasNames.find((alias) => alias === word);
  if (name === undefined) return undefined;
  const keys = keysOf(aliases[name]);
  // OpenCost's fallback for an empty setting; without a key a part of the row name would be missing.
  return keys.length > 0 ? keys : keysOf(defaultAliases[name]);
}

function keysOf(text: string): string[] {
  return text
    .split(',')
    .map((key) => sanitizeKey(key.trim()))
    .filter((key) => key !== '');
}
