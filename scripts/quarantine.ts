import type { Command } from 'commander';
import { listGenerations, readGeneration, readNewestGeneration } from '../activities/read-generations';
import { catalog, type ErrorCode } from '../errors/catalog';
import { parseWindowId, describeWindow } from '../etl/window';
import type { Generation, SourceProblem } from '../federation/generation';
import type { BucketReader } from '../storage/bucket';
import { openContext, type CommandOptions } from './context';
import { count } from '../operator/format';
import { formatTable, print, printJson } from './output';

/** A source that is not taken as it is; its fields are what `--json` prints. */
interface HeldSource extends SourceProblem {
  /** The oldest generation, of those that are kept, from which on it is listed. */
  readonly since: number;
  /** What to do about it. */
  readonly hint: string;
}

/** Adds the verb `quarantine` to the program. */
export function registerQuarantine(program: Command): void {
  program
    .command('quarantine')
    .description(
      'list the sources that the newest generation refused, or holds the last good contribution of',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl quarantine\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
      await using context = openContext(options);
      const bucket = await context.bucket();
      const newest = await readNewestGeneration(bucket);
      const sources = newest === undefined ? [] : await readHeld(bucket, newest);
      if (options.json) printJson({ generation: newest?.generation, sources });
      else show(newest, sources);
    });
}

async function readHeld(bucket: BucketReader, newest: Generation): Promise<HeldSource[]> {
  const since = new Map(newest.problems.map((problem) => [identity(problem), newest.generation]));
  // Backwards, for as long as one of them is listed there too.
  let open = new Set(since.keys());
  for (const { generation: number } of (await listGenerations(bucket)).reverse()) {
    if (number >= newest.generation) continue;
    if (open.size === 0) break;
    const earlier = await readGeneration(bucket, number);
    if (earlier === undefined) break;
    open = new Set(earlier.problems.map(identity).filter((source) => open.has(source)));
    for (const source of open) since.set(source, number);
  }
  return newest.problems.map((problem) => ({
    ...problem,
    since: since.get(identity(problem)) ?? newest.generation,
    hint: hintFor(problem.code),
  }));
}

function identity({ cluster, window, code }: SourceProblem): string {
  return `${cluster}\n${window}\n${code}`;
}

function hintFor(code: string): string {
  return (catalog as Partial<Record<string, { hint: string }>>)[code as ErrorCode]?.hint ?? '';
}

function show(newest: Generation | undefined, sources: readonly HeldSource[]): void {
  if (newest === undefined) return print('No generation was committed yet, so nothing is held.');
  if (sources.length === 0) return print(`Generation ${newest.generation} took every source as it is.`);
  const rows = sources.map((source) => {
    const ref = parseWindowId(source.window);
    return [
      source.cluster,
      ref?.pipeline,
      ref === undefined ? source.window : describeWindow(ref),
      source.code,
      `generation ${source.since}`,
      source.kept === undefined ? 'left out' : 'last good one',
    ];
  });
  print(`Generation ${newest.generation} does not take ${count(sources.length, 'source')} as it is.\n`);
  print(formatTable(['cluster', 'pipeline', 'window', 'code', 'since', 'in its place'], rows));
  print();
  for (const code of new Set(sources.map((source) => source.code))) print(`${code}: ${hintFor(code)}`);
}
