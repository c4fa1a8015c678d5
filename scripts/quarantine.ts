import type { Command } from 'commander';
import { describeWindow, parseWindowId } from '../etl/window';
import { nameTaken } from '../federation/name-conflicts';
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

function show(quarantine: Quarantine): void {
  showSources(quarantine);
  const { notices } = quarantine;
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

function showSources({ generation, sources, nameConflicts }: Quarantine): void {
  if (generation === undefined)
    return print('No generation has been committed yet, so nothing is quarantined.');
  if (sources.length === 0) return print(`Generation ${generation} has no quarantined sources.`);
  // A cluster that carries names of others may have thousands of sources, so they share a line.
  const conflicting = new Set(nameConflicts.map(({ cluster }) => cluster));
  const single = sources.filter(({ cluster, code }) => code !== nameTaken || !conflicting.has(cluster));
  const rows = single.map(({ cluster, window, code, since, state }) => {
    const ref = parseWindowId(window);
    const named = ref === undefined ? window : describeWindow(ref);
    return [cluster, ref?.pipeline, named, code, `generation ${since}`, state];
  });
  print(`Generation ${generation} has ${count(sources.length, 'quarantined source')}.\n`);
  const grouped = nameConflicts.map(({ cluster, sources: number, carrying, since }) => {
    const what = `${count(number, 'source')}, ${carrying} with the name`;
    return [cluster, 'all', what, nameTaken, `generation ${since}`, ''];
  });
  print(formatTable(['cluster', 'pipeline', 'window', 'code', 'since', 'state'], [...rows, ...grouped]));
  print();
  for (const { detail, hint } of nameConflicts) print(`${detail} ${hint}`);
  for (const [code, hint] of new Map(single.map((source) => [source.code, source.hint])))
    print(`${code}: ${hint}`);
}
