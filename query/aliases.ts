import { type AliasName, aliasNames } from './request';
import { sanitizeKey } from './sanitize';

/** The label or annotation key that each alias stands for; several keys are separated by commas. */
export type Aliases = Readonly<Record<AliasName, string>>;

/** Kubecost's default aliases. */
export const defaultAliases: Aliases = {
  department: 'department',
  environment: 'env',
  owner: 'owner',
  product: 'app',
  team: 'team',
};

/**
 * Returns the sanitised label or annotation keys that an alias stands for (at least one), or undefined if the word is
 * not an alias.
 */
export function aliasKeys(word: string, aliases: Aliases): string[] | undefined {
  const name = aliasNames.find((alias) => alias === word);
  if (name === undefined) return undefined;
  const keys = keysOf(aliases[name]);
  // If the setting is empty, use the default keys, as OpenCost does. Without any key, this part of the row names would
  // be missing.
  return keys.length > 0 ? keys : keysOf(defaultAliases[name]);
}

function keysOf(text: string): string[] {
  return text
    .split(',')
    .map((key) => sanitizeKey(key.trim()))
    .filter((key) => key !== '');
}
