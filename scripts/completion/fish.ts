import { valuedOptions } from './cases';
import type { CompletedOption, CompletedVerb, Values } from './verbs';

/** Returns the completion script for fish. */
export function fishScript(verbs: readonly CompletedVerb[]): string {
  const paths = verbs.map(({ path }) => path).filter((path) => path !== '');
  const valued = [...new Set(valuedOptions(verbs).map(({ option }) => option))];
  return [
    '# fish completion of federated-etl. Put this file into ~/.config/fish/completions.',
    'function __federated_etl_at --description "Succeeds if the command line has this verb"',
    "  set -l verb ''",
    "  set -l option ''",
    '  for word in (commandline -opc)[2..-1]',
    '    if test -n "$option"',
    "      set option ''",
    '      continue',
    '    end',
    `    if contains -- $word ${valued.join(' ')}`,
    '      set option $word',
    '    end',
    '    set -l longer (string trim -- "$verb $word")',
    `    if contains -- $longer ${paths.map(quoted).join(' ')}`,
    '      set verb $longer',
    '    end',
    '  end',
    '  test "$verb" = "$argv[1]"',
    'end',
    'complete -c federated-etl -f',
    ...verbs.flatMap(({ path, verbs: subs, options, values }) => {
      const line = `complete -c federated-etl -n ${quoted(`__federated_etl_at ${quoted(path)}`)}`;
      return [
        ...subs.map(({ word, description }) => `${line} -a ${word} -d ${quoted(description)}`),
        ...(values === 'any' ? [] : [`${line} ${valuesOf(values)}`]),
        ...options.map((option) => `${line} ${optionOf(option)}`),
      ];
    }),
  ].join('\n');
}

function optionOf({ word, description, values }: CompletedOption): string {
  const flags = values === undefined ? '' : ` -r ${valuesOf(values)}`.trimEnd();
  return `-l ${word.replace(/^--/, '')}${flags} -d ${quoted(description)}`;
}

function valuesOf(values: Values): string {
  if (values === 'any') return '-f';
  return values === 'path' ? '-F' : `-f -a ${quoted(values.join(' '))}`;
}

/** Quotes a text, so that fish reads it as a single word. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
