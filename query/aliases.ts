import { type AliasName, aliasNames } from './request';
import { sanitizeKey } from './sanitize';

/** For each alias, the label or annotation key that it refers to. Several keys are separated by commas. */
export type Aliases = Readonly<Record<AliasName, string>>;

/** The keys that Kubecost uses for the aliases by default. */
export const defaultAliases: Aliases = {
  department: 'department',
  environment: 'env',
  owner: 'owner',
  product: 'app',
  team: 'team',
};

/**
 * Returns the sanitised label or annotation keys that an alias refers to. There is always at least one. Returns
 * undefined if `word` is not an alias.
 */
export function aliasKeys(word: string, aliases: Aliases): string[] | undefined {
  const name = aliasNames.find((alias) => alias === word);
  if (name === undefined) return undefined;
  const keys = keysOf(aliases[name]);
  // If the alias has been set to an empty list of keys, use its default keys, as OpenCost does.
  return keys.length > 0 ? keys : keysOf(defaultAliases[name]);
}

function keysOf(text: string): string[] {
  return text
    .split(',')
    .map((key) => sanitizeKey(key.trim()))
    .filter((key) => key !== '');
}
