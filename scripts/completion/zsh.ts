import { findVerb, quoted, valueBranches } from './cases';
import type { CompletedVerb, Word } from './verbs';

/** Returns the completion script for zsh. */
export function zshScript(verbs: readonly CompletedVerb[]): string {
  const offer = (values: readonly string[] | 'path') =>
    values === 'path' ? '_files' : `compadd -- ${values.map(quoted).join(' ')}`;
  return [
    '#compdef federated-etl',
    '# zsh completion of federated-etl. Put this file into a folder of $fpath as _federated-etl.',
    '_federated_etl() {',
    "  local verb='' option='' word",
    '  local -a offered',
    ...findVerb(verbs, '"${(@)words[2,CURRENT-1]}"'),
    '  if [[ -n $option ]]; then',
    '    case "$verb $option" in',
    ...valueBranches(verbs, offer),
    '    esac',
    '    return',
    '  fi',
    '  case "$verb" in',
    ...verbs.flatMap(({ path, verbs: subs, options, values }) => [
      `    ${quoted(path)})`,
      ...(subs.length === 0 ? [] : [describe(subs, 'verb', '')]),
      ...(typeof values === 'string' ? [] : [`      ${offer(values)}`]),
      ...(values === 'path' ? ['      [[ $PREFIX == -* ]] || _files'] : []),
      describe(options, 'option', '-o '),
      '      ;;',
    ]),
    '  esac',
    '}',
    '# In $fpath, the file is the body of the function; elsewhere, it is sourced.',
    'if [[ $funcstack[1] == _federated-etl ]]; then _federated_etl "$@"; else compdef _federated_etl federated-etl; fi',
  ].join('\n');
}

/** Returns a line of the script. It offers words together with their descriptions. */
function describe(words: readonly Word[], what: string, flags: string): string {
  const items = words.map(({ word, description }) => quoted(`${word}:${description}`)).join(' ');
  return `      offered=(${items}); _describe ${flags}${what} offered`;
}
