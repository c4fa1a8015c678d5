import type { Command } from 'commander';
import { describeWindow, parseWindowId } from '../etl/window';
import { count } from '../operator/format';
import { type Quarantine, readQuarantine } from '../operator/quarantine';
import { type CommandOptions, openContext } from './context';
import { formatTable, print, printJson } from './output';

/** Adds the verb `quarantine` to the command line. */
export function registerQuarantine(program: Command): void {
  program
    .command('quarantine')
    .description('list the quarantined sources of the newest generation, and what is odd about the folders')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl quarantine\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
      await using context = openContext(options);
      const quarantine = await readQuarantine(await context.bucket());
      if (options.json) printJson(quarantine);
      else show(quarantine);
    });
}

function show({ generation, sources, notices }: Quarantine): void {
  showSources(generation, sources);
  if (notices.length === 0) return;
  print('\nAlso noticed:\n');
  print(
    formatTable(
      ['cluster', 'code', 'files', 'such as'],
      notices.map(({ cluster, code, count: files, example }) => [cluster, code, files, example]),
    ),
  );
  print();
  for (const [code, text] of new Map(
    notices.map(({ code, means, hint }) => [code, `${means} ${hint}`] as const),
  ))
    print(`${code}: ${text}`);
}

function showSources(generation: Quarantine['generation'], sources: Quarantine['sources']): void {
  if (generation === undefined)
    return print('No generation has been committed yet, so nothing is quarantined.');
  if (sources.length === 0) return print(`Generation ${generation} has no quarantined sources.`);
  const rows = sources.map(({ cluster, window, code, since, state }) => {
    const ref = parseWindowId(window);
    const named = ref === undefined ? window : describeWindow(ref);
    return [cluster, ref?.pipeline, named, code, `generation ${since}`, state];
  });
  print(`Generation ${generation} has ${count(sources.length, 'quarantined source')}.\n`);
  print(formatTable(['cluster', 'pipeline', 'window', 'code', 'since', 'state'], rows));
  print();
  for (const [code, hint] of new Map(sources.map((source) => [source.code, source.hint])))
    print(`${code}: ${hint}`);
}
