import type { Command } from 'commander';
import { mostWindows } from '../../operator/most-windows';
import { parseCount } from '../parse-options';

/** Adds the verb `diff` to the command line. */
export function registerDiff(program: Command): void {
  program
    .command('diff')
    .argument('<from>', 'the number of a generation', parseCount)
    .argument('[to]', 'the number of another one (default: the newest)', parseCount)
    .description('compare the costs of two generations: by cluster, pipeline and window')
    .option('--windows <n>', 'how many differing windows to compare at most', parseCount, mostWindows)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl diff 41 42\n' +
        '\nExit status 1: a window, or a newer generation, is damaged or gone; the rest is compared.\n',
    )
    .action(async (from: number, to: number | undefined, _: unknown, command: Command) => {
      const { diff } = require('../diff') as typeof import('../diff');
      await diff(from, to, command);
    });
}
