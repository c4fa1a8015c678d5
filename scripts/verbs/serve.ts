import type { Command } from 'commander';
import { apiDefaults } from '../../config/api-defaults';
import type { ServeOptions } from '../serve';

/** Adds the verb `serve` to the command line. */
export function registerServe(program: Command): void {
  const { listen, currency } = apiDefaults;
  program
    .command('serve')
    .description(
      'serve the query API and the page over a local ETL store, without Temporal and without a bucket',
    )
    .requiredOption('--etl <dir>', 'the folder that contains bingen/<pipeline>/<resolution>/<start>-<end>')
    .option('--listen <address>', 'the address to listen on', listen)
    .option('--database <dir>', 'keep the database in this folder (default: a temporary one)')
    .option('--currency <code>', 'the name of the currency', currency)
    .option('--open-read', 'answer requests from other machines too, without a token')
    .option('--host <names...>', 'also answer to these host names (* for all)')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl serve --etl /var/configs/db/etl\n  federated-etl serve --etl ./backup/etl --listen 127.0.0.1:8080\n',
    )
    .action(async (_: unknown, command: Command) => {
      const { serve } = require('../serve') as typeof import('../serve');
      await serve(command.optsWithGlobals<ServeOptions>());
    });
}
