import type { Command } from 'commander';
import { formatAge, formatBytes } from '../operator/format';
import { type GenerationSummary, readNewestGenerations, summarizeGeneration } from '../operator/generations';
import { type CommandOptions, openContext } from './context';
import { formatTable, print, printJson } from './output';
import { parseCount } from './parse-options';

/** Adds the verb `generations` to the command line. */
export function registerGenerations(program: Command): void {
  program
    .command('generations')
    .description('list the commits of the combined set, the newest first')
    .option('--limit <n>', 'how many to list at most', parseCount, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl generations --limit 3\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { limit: number; json?: true }>();
      await using context = openContext(options);
      const newest = await readNewestGenerations(await context.bucket(), options.limit);
      const generations = newest.map(summarizeGeneration);
      if (options.json) printJson({ generations });
      else show(generations, new Date());
    });
}

function show(generations: readonly GenerationSummary[], now: Date): void {
  if (generations.length === 0) return print('No generation has been committed yet.');
  const rows = generations.map((line) => [
    line.generation,
    formatAge(line.committedAt, now),
    line.clusters,
    line.windows,
    line.quarantined,
    formatBytes(line.size),
    line.run,
  ]);
  print(formatTable(['generation', 'committed', 'clusters', 'windows', 'quarantined', 'size', 'run'], rows));
}
