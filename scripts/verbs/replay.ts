import type { Command } from 'commander';
import { timeoutOption } from './shared-options';

/** Adds the verb `replay` to the command line. */
export function registerReplay(program: Command): void {
  program
    .command('replay')
    .argument('[runs...]', 'the runs to replay, as `federated-etl runs` names them')
    .description(
      'start failed federations again: new runs of the same requests, planned against the bucket as it is now',
    )
    .option(
      '--failed',
      'replay every run that failed, died or was cancelled since the last one that committed',
    )
    .option(
      '--wait',
      'wait for each to end before starting the next; exit status 1 if one fails, 3 if one is partial',
    )
    .addOption(timeoutOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl replay federation-2026-11-20T21:35:27Z --wait\n  federated-etl replay --failed\n',
    )
    .action(async (named: string[], _: unknown, command: Command) => {
      const { replay } = require('../replay') as typeof import('../replay');
      await replay(named, command);
    });
}
