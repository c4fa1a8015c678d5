import type { CompletedVerb, Values } from './verbs';

/** Quotes a text, so that bash and zsh read it as a single word. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns the pattern of a `case` branch that matches exactly these texts. */
function anyOf(texts: Iterable<string>): string {
  return [...new Set(texts)].map(quoted).join('|');
}

/** An option of a verb together with its values. */
export interface ValuedOption {
  readonly path: string;
  readonly option: string;
  readonly values: Values;
}

/** Returns the options that have a value. */
export function valuedOptions(verbs: readonly CompletedVerb[]): ValuedOption[] {
  return verbs.flatMap(({ path, options }) =>
    options.flatMap(({ word, values }) => (values === undefined ? [] : [{ path, option: word, values }])),
  );
}

/**
 * Returns the lines of a shell loop over the words before the cursor. The loop works in bash and in zsh. It sets `verb`
 * to the verb of the command line, and `option` to the option whose value is at the cursor.
 */
export function findVerb(verbs: readonly CompletedVerb[], words: string): string[] {
  const paths = verbs.map(({ path }) => path).filter((path) => path !== '');
  return [
    `  for word in ${words}; do`,
    '    # The word is the value of an option. bash splits --option=value into three words.',
    `    if [[ -n $option ]]; then [[ $word == '=' ]] || option=''; continue; fi`,
    '    case "$word" in',
    `      ${anyOf(valuedOptions(verbs).map(({ option }) => option))}) option="$word";;`,
    '    esac',
    '    case "${verb:+$verb }$word" in',
    `      ${anyOf(paths)}) verb="\${verb:+$verb }$word";;`,
    '    esac',
    '  done',
  ];
}

/** Returns the branches of a `case` on the verb and the option whose value is at the cursor. */
export function valueBranches(
  verbs: readonly CompletedVerb[],
  offer: (values: readonly string[] | 'path') => string,
): string[] {
  return valuedOptions(verbs).flatMap(({ path, option, values }) =>
    values === 'any' ? [] : [`      ${quoted(`${path} ${option}`)}) ${offer(values)};;`],
  );
}
