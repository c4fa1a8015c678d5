/**
 * An instruction in a stage of a Dockerfile. Flags are arguments such as `--from=build`. `rest` is the text after them.
 */
export interface Step {
  readonly instruction: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  /** Default values of the build arguments that are declared before the first stage. */
  readonly args: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/**
 * Parses a Dockerfile. Supports only the syntax that our Dockerfile uses: it must not contain heredocs, or comments
 * within an instruction.
 */
export function parseDockerfile(text: string): Dockerfile {
  const args = new Map<string, string>();
  const stages: { name: string; from: string; steps: Step[] }[] = [];
  for (const line of text.replaceAll(/\\\n\s*/g, '').split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, instruction = '', flags = '', rest = ''] = /^([A-Z]+) ((?:--\S+ )*)(.*)$/.exec(line) ?? [];
    if (instruction === '') throw new Error(`cannot read this line: ${line}`);
    if (instruction === 'FROM') {
      const [from = '', name = 'final'] = rest.split(' AS ');
      stages.push({ name, from: expand(from, args), steps: [] });
    } else if (stages.length === 0) {
      const [name = '', value = ''] = rest.split('=');
      args.set(name, value);
    } else {
      stages.at(-1)?.steps.push({ instruction, flags: flags.split(' ').filter(Boolean), rest });
    }
  }
  return { args, stages };
}

/**
 * Replaces each reference such as `${NAME}` with the value of that build argument. Removes the reference if there is no
 * such argument.
 */
export function expand(text: string, args: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? '');
}
