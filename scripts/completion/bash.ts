import { findVerb, quoted, valueBranches } from './cases';
import type { CompletedVerb } from './verbs';

/** Returns the completion script for bash 3.2 and newer. */
export function bashScript(verbs: readonly CompletedVerb[]): string {
  const offer = (values: readonly string[] | 'path') =>
    values === 'path' ? "kind='path'" : `words=${quoted(values.join(' '))}`;
  return [
    '# bash completion of federated-etl. Source this file, for example from ~/.bashrc.',
    '_federated_etl() {',
    `  local at="\${COMP_WORDS[COMP_CWORD]}" verb='' option='' words='' kind='' word`,
    `  [[ $at == '=' ]] && at=''`,
    ...findVerb(verbs, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"'),
    '  if [[ -n $option ]]; then',
    '    case "$verb $option" in',
    ...valueBranches(verbs, offer),
    '    esac',
    '  else',
    '    case "$verb" in',
    ...verbs.map((verb) => `      ${quoted(verb.path)}) ${offerOf(verb)};;`),
    '    esac',
    '  fi',
    '  COMPREPLY=()',
    '  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(',
    '    [[ -z $words ]] || compgen -W "$words" -- "$at"',
    '    [[ -z $kind || $at == -* ]] || compgen -f -- "$at"',
    '  )',
    '  # Outside a completion, as in a test, there is nothing to set an option of.',
    '  [[ -z $kind ]] || compopt -o filenames 2>/dev/null || true',
    '}',
    'complete -F _federated_etl federated-etl',
  ].join('\n');
}

function offerOf({ verbs, options, values }: CompletedVerb): string {
  const words = [
    ...verbs.map(({ word }) => word),
    ...options.map(({ word }) => word),
    ...(typeof values === 'string' ? [] : values),
  ];
  return `words=${quoted(words.join(' '))}${values === 'path' ? "; kind='path'" : ''}`;
}
