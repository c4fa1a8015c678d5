import type { Command } from 'commander';
import type { DemoOptions } from '../demo';
import { parseDay } from '../demo/example-days';

/** Adds the verb `demo` to the command line. */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description("run the guide's five-cluster example on this machine, on a folder as the bucket")
    .option('--once', 'check the outcome, print it and exit')
    .option('--dir <dir>', 'the folder for the files of the example', '.federated-etl/demo')
    .option('--date <day>', "the last day of the example's data (default: yesterday, in UTC)", parseDay)
    .addHelpText('after', '\nExample:\n  federated-etl demo --once --dir /tmp/five-clusters\n')
    .action(async (options: DemoOptions, command: Command) => {
      const { demo } = require('../demo') as typeof import('../demo');
      await demo(options, command);
    });
}
