import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { terminalText } from './colour';
import { printNote } from './output';

/**
 * Asks the person at the terminal to confirm. Returns whether the answer was yes. Without a terminal, ends the program
 * with the exit code for wrong usage, and an error message that names the option `--yes`.
 */
export async function confirm(command: Command, question: string, { yes }: { yes?: true }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    command.error('error: there is no terminal to ask at; say --yes to go on without being asked', {
      exitCode: 2,
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(terminalText(`${question} [y/N] `));
    const agreed = /^y(es)?$/i.test(answer.trim());
    if (!agreed) printNote('Nothing was changed.');
    return agreed;
  } finally {
    lines.close();
  }
}
