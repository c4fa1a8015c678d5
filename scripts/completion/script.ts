import { bashScript } from './bash';
import { fishScript } from './fish';
import type { CompletedVerb } from './verbs';
import { zshScript } from './zsh';

export const shells = ['bash', 'zsh', 'fish'] as const;

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<
  (typeof shells)[number],
  (verbs: readonly CompletedVerb[]) => string
>;

/** Returns the script with which a shell completes the command line. The script runs no other program. */
export function completionScript(shell: (typeof shells)[number], verbs: readonly CompletedVerb[]): string {
  return scripts[shell](verbs);
}
