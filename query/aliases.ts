import { sanitizeKey } from './sanitize';
import { type AliasName, aliasNames } from './request';

/** The label (or annotation) behind each alias; several keys with commas between them. */
export type Aliases = Readonly<Record<AliasName, string>>;

/** Kubecost's own. */
export const defaultAliases: Aliases = {
  department: 'department',
  environment: 'env',
  owner: 'owner',
  product: 'app',
  team: 'team',
};

/** The sanitised keys behind a word, at least one; undefined when it is no alias. */
export function aliasKeys(word: string, aliases: Aliases): string[] | undefined {
  const name = aliasNames.find((alias) => alias === word);
  if (name === undefined) return undefined;
  const keys = keysOf(aliases[name]);
  // As OpenCost does where nothing is configured; without a key a name part would be missing.
  return keys.length > 0 ? keys : keysOf(defaultAliases[name]);
}

function keysOf(text: string): string[] {
  return text
    .split(',')
    .map((key) => sanitizeKey(key.trim()))
    .filter((key) => key !== '');
}
