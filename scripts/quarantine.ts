import type { Command } from 'commander';
import { listGenerations, readGeneration, readNewestGeneration } from '../activities/read-generations';
import { catalog, type ErrorCode } from '../errors/catalog';
import { parseWindowId, describeWindow } from '../etl/window';
import {
  type Generation,
  type QuarantinedSource,
  quarantineState,
  type QuarantineState,
} from '../federation/generation';
import type { BucketReader } from '../storage/bucket';
import { openContext, type CommandOptions } from './context';
import { count } from '../operator/format';
import { formatTable, print, printJson } from './output';

/** A quarantined source; its fields are what `--json` prints. */
interface ListedSource extends QuarantinedSource {
  readonly state: QuarantineState;
  /** The oldest generation that lists it without a gap up to the newest, as far back as generations are kept. */
  readonly since: number;
  /** What to do about it. */
  readonly hint: string;
}

/** Adds the verb `quarantine` to the program. */
export function registerQuarantine(program: Command): void {
  program
    .command('quarantine')
    .description('list the quarantined sources of the newest generation')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl quarantine\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
      await using context = openContext(options);
      const bucket = await context.bucket();
      const newest = await readNewestGeneration(bucket);
      const sources = newest === undefined ? [] : await readQuarantined(bucket, newest);
      if (options.json) printJson({ generation: newest?.generation, sources });
      else show(newest, sources);
    });
}

async function readQuarantined(bucket: BucketReader, newest: Generation): Promise<ListedSource[]> {
  const since = new Map(newest.quarantined.map((source) => [identity(source), newest.generation]));
  // Backwards, for as long as one of them is listed there too.
  let open = new Set(since.keys());
  for (const { generation: number } of (await listGenerations(bucket)).reverse()) {
    if (number >= newest.generation) continue;
    if (open.size === 0) break;
    const earlier = await readGeneration(bucket, number);
    if (earlier === undefined) break;
    open = new Set(earlier.quarantined.map(identity).filter((source) => open.has(source)));
    for (const source of open) since.set(source, number);
  }
  return newest.quarantined.map((source) => ({
    ...source,
    state: quarantineState(source),
    since: since.get(identity(source)) ?? newest.generation,
    hint: hintFor(source.code),
  }));
}

function identity({ cluster, window, code }: QuarantinedSource): string {
  return `${cluster}\n${window}\n${code}`;
}

function hintFor(code: string): string {
  return (catalog as Partial<Record<string, { hint: string }>>)[code as ErrorCode]?.hint ?? '';
}

function show(newest: Generation | undefined, sources: readonly ListedSource[]): void {
  if (newest === undefined) return print('No generation was committed yet, so nothing is quarantined.');
  if (sources.length === 0) return print(`Generation ${newest.generation} took every source as it is.`);
  const rows = sources.map((source) => {
    const ref = parseWindowId(source.window);
    return [
      source.cluster,
      ref?.pipeline,
      ref === undefined ? source.window : describeWindow(ref),
      source.code,
      `generation ${source.since}`,
      source.state,
    ];
  });
  print(`Generation ${newest.generation} has ${count(sources.length, 'quarantined source')}.\n`);
  print(formatTable(['cluster', 'pipeline', 'window', 'code', 'since', 'state'], rows));
  print();
  for (const code of new Set(sources.map((source) => source.code))) print(`${code}: ${hintFor(code)}`);
}
