import type { Command, Option } from 'commander';

/** A word that a shell may offer. */
export interface Word {
  readonly word: string;
  readonly description: string;
}

/** The values that an option or argument accepts: one of certain words, the path of a file, or any text. */
export type Values = readonly string[] | 'path' | 'any';

export interface CompletedOption extends Word {
  /** Undefined if the option has no value. */
  readonly values?: Values;
}

/** What can follow a verb on the command line. */
export interface CompletedVerb {
  /** The verb, such as `status` or `cluster remove`. It is empty for the program itself. */
  readonly path: string;
  readonly verbs: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** The values of the verb's arguments. */
  readonly values: Values;
}

/** Reads what can be completed from the verbs and options of the program. */
export function readVerbs(program: Command): CompletedVerb[] {
  const common = optionsOf(program);
  const walk = (command: Command, path: string): CompletedVerb[] => [
    {
      path,
      verbs: command.commands.map((verb) => ({ word: verb.name(), description: verb.description() })),
      options: [...new Map([...common, ...optionsOf(command)].map((one) => [one.word, one])).values()],
      values: valuesOfArguments(command),
    },
    ...command.commands.flatMap((verb) => walk(verb, `${path} ${verb.name()}`.trim())),
  ];
  return walk(program, '');
}

function optionsOf(command: Command): CompletedOption[] {
  return command.createHelp().visibleOptions(command).flatMap(readOption);
}

function readOption({ long, description, required, flags, argChoices }: Option): CompletedOption[] {
  if (long === undefined || long === null) return [];
  const word = { word: long, description };
  return [required ? { ...word, values: argChoices ?? kindOf(flags) } : word];
}

function valuesOfArguments({ registeredArguments }: Command): Values {
  const [argument] = registeredArguments;
  return argument === undefined ? 'any' : (argument.argChoices ?? kindOf(`<${argument.name()}>`));
}

/** Returns the kind of value that a placeholder stands for. For example, `<file>` stands for a path. */
function kindOf(flags: string): 'path' | 'any' {
  return /<(files?|dir)\b/.test(flags) ? 'path' : 'any';
}
