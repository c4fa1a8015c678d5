import type { Command } from 'commander';
import { parseCount, parseSpan } from '../parse-options';
import { dryRunOption, timeoutOption } from './shared-options';

/** Adds the verb `federate` to the command line. */
export function registerFederate(program: Command): void {
  program
    .command('federate')
    .description('start a federation now; it waits for one that is running')
    .option(
      '--wait',
      'show its progress and wait for it to end; exit status 1 if it fails, 3 if it is partial',
    )
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option(
      '--window <start,end>',
      'only windows that overlap this span, in unix seconds or RFC 3339',
      parseSpan,
    )
    .option('--force', 'merge the windows again even if nothing changed')
    .option('--full', 'list the whole bucket, and check every window and every refused source again')
    .option('--take-over', 'commit even if the last commit is by another federator with another membership')
    .option(
      '--new-federation',
      'begin a new federation if the bucket is empty, another one, or was restored to an earlier state',
    )
    .option('--resume', 'end the hold that a rollback has put on the federation')
    .option(
      '--from <generation>',
      'start from this generation instead of the newest one, which is damaged',
      parseCount,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl federate --wait\n  federated-etl federate --force --window 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z\n',
    )
    .action(async (_: unknown, command: Command) => {
      const { federate } = require('../federate') as typeof import('../federate');
      await federate(command);
    });
}
