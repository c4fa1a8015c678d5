import { resolve } from 'node:path';
import type { Command } from 'commander';
import { laidOutDay } from './demo/clusters';
import { parseDay, yesterday } from './demo/example-days';
import { runDemo } from './demo/run-demo';

interface DemoOptions {
  readonly once?: true;
  readonly dir: string;
  readonly date?: string;
}

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
      const { once = false, date } = options;
      const dir = resolve(options.dir);
      const there = await laidOutDay(dir);
      if (date !== undefined && there !== undefined && there !== date) {
        command.error(
          `error: --date ${date}: the example in ${dir} ends on ${there}. Delete that folder or name another with --dir`,
          { exitCode: 2 },
        );
      }
      const newest = date ?? yesterday(new Date());
      await runDemo({ once, dir, lastDay: there ?? newest, isOld: there !== undefined && there < newest });
    });
}
