import type { Command } from 'commander';
import { describeDecided } from '../federation/change';
import { formatAge, formatBytes } from '../operator/format';
import { type GenerationSummary, readNewestGenerations, summarizeGeneration } from '../operator/generations';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { formatTable } from './table';

/** Prints the newest generations. */
export async function generations(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { limit: number; json?: true }>();
  await using context = openContext(options);
  const found = await readNewestGenerations(await context.bucket(), options.limit);
  const generations = found.generations.map(summarizeGeneration);
  if (options.json) printJson({ generations, damage: found.damage });
  else show(generations, found.damage, new Date());
}

function show(generations: readonly GenerationSummary[], damage: readonly string[], now: Date): void {
  for (const line of damage) print(line);
  if (damage.length > 0) print();
  if (generations.length === 0 && damage.length === 0) print('No generation has been committed yet.');
  if (generations.length === 0) return;
  const newest = Math.max(...generations.map(({ generation }) => generation));
  const rows = generations.map((line) => [
    line.generation === newest && line.hold ? `${line.generation} (on hold)` : line.generation,
    formatAge(line.committedAt, now),
    line.clusters,
    line.windows,
    line.quarantined,
    formatBytes(line.size),
    line.run,
  ]);
  print(
    ...formatTable(['generation', 'committed', 'clusters', 'windows', 'quarantined', 'size', 'run'], rows, {
      optional: ['size', 'windows', 'clusters'],
    }),
  );
  for (const line of generations) {
    const decided = describeCommit(line);
    if (decided !== undefined) print('', `${line.generation}: ${decided}`);
  }
}

/**
 * Returns a text that says which generation this one replaces, and which decision it commits. Returns undefined if
 * there is neither.
 */
function describeCommit({ decision, replaces }: GenerationSummary): string | undefined {
  const what = [
    ...(replaces === undefined ? [] : [`in place of generation ${replaces}`]),
    ...(decision === undefined ? [] : [`${decision.what}, as decided ${describeDecided(decision)}`]),
  ];
  return what.length === 0 ? undefined : what.join(': ');
}
