import type { Command } from 'commander';
import type { Generation } from '../federation/generation';
import { generationSize, readNewestGenerations } from '../operator/generations';
import { openContext, type CommandOptions } from './context';
import { formatAge, formatBytes } from '../operator/format';
import { formatTable, print, printJson } from './output';
import { parseCount } from './parse-options';

/** A line of the commit log; its fields are what `--json` prints. */
interface GenerationLine {
  readonly generation: number;
  readonly committedAt: string;
  readonly run: string;
  readonly federator: string;
  readonly clusters: number;
  readonly windows: number;
  readonly quarantined: number;
  /** Of all the merged windows that it names, in bytes. */
  readonly size: number;
}

/** Adds the verb `generations` to the program. */
export function registerGenerations(program: Command): void {
  program
    .command('generations')
    .description('list the commits of the combined set, the newest first')
    .option('--limit <n>', 'at most so many', parseCount, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl generations --limit 3\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { limit: number; json?: true }>();
      await using context = openContext(options);
      const generations = (await readNewestGenerations(await context.bucket(), options.limit)).map(toLine);
      if (options.json) printJson({ generations });
      else show(generations, new Date());
    });
}

function toLine(generation: Generation): GenerationLine {
  return {
    generation: generation.generation,
    committedAt: generation.committedAt,
    run: generation.run,
    federator: generation.membership.federator,
    clusters: generation.membership.clusters.length,
    windows: Object.keys(generation.windows).length,
    quarantined: generation.quarantined.length,
    size: generationSize(generation),
  };
}

function show(generations: readonly GenerationLine[], now: Date): void {
  if (generations.length === 0) return print('No generation was committed yet.');
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
