import type { Command } from 'commander';
import { describeWindow, parseWindowId } from '../etl/window';
import { describeDecided } from '../federation/change';
import { count } from '../federation/count';
import { describeChange } from '../federation/measure';
import { nameTaken } from '../federation/name-conflicts';
import { type Quarantine, readQuarantine } from '../operator/quarantine';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { formatTable } from './table';

/** Prints the quarantined sources. */
export async function quarantine(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
  await using context = openContext(options);
  const quarantine = await readQuarantine(await context.bucket());
  if (options.json) printJson(quarantine);
  else show(quarantine);
}

function show(quarantine: Quarantine): void {
  const { generation, notices, damaged } = quarantine;
  for (const line of damaged) print(line);
  if (damaged.length > 0) print();
  if (generation === undefined && damaged.length > 0) return print('What is quarantined is unknown.');
  showSources(quarantine);
  showAccepted(quarantine.accepted);
  showShrunk(quarantine.shrunk);
  if (notices.length === 0) return;
  print('', 'Also noticed:', '');
  print(
    ...formatTable(
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
  const dropped = sources.filter((source) => source.dropped !== undefined).length;
  const ofThem = dropped === 0 ? '' : `, ${dropped} of them dropped`;
  print(`Generation ${generation} has ${count(sources.length, 'quarantined source')}${ofThem}.`, '');
  // A cluster whose records contain names of other clusters may have thousands of quarantined sources. Print them as
  // one row.
  const conflicting = new Set(nameConflicts.map(({ cluster }) => cluster));
  const single = sources.filter(({ cluster, code }) => code !== nameTaken || !conflicting.has(cluster));
  const rows = single.map(({ cluster, window, code, since, state, dropped: decided }) => [
    ...named(cluster, window),
    code,
    `generation ${since}`,
    decided === undefined ? state : `${state}, dropped ${describeDecided(decided)}`,
  ]);
  const grouped = nameConflicts.map(({ cluster, sources: number, carrying, since }) => {
    const what = `${count(number, 'source')}, ${carrying} with the name`;
    return [cluster, 'all', what, nameTaken, `generation ${since}`, ''];
  });
  print(
    ...formatTable(['cluster', 'pipeline', 'window', 'code', 'since', 'state'], [...rows, ...grouped], {
      optional: ['since'],
      states: ['state'],
    }),
  );
  print();
  for (const { detail, hint } of nameConflicts) print(`${detail} ${hint}`);
  const open = single.filter((source) => source.dropped === undefined);
  for (const [code, hint] of new Map(open.map((source) => [source.code, source.hint])))
    print(`${code}: ${hint}`);
}

function showAccepted(accepted: Quarantine['accepted']): void {
  if (accepted.length === 0) return;
  print('', `${count(accepted.length, 'source')} accepted:`, '');
  const rows = accepted.map(({ cluster, window, code, decided }) => [
    ...named(cluster, window),
    code,
    `accepted ${describeDecided(decided)}`,
  ]);
  print(...formatTable(['cluster', 'pipeline', 'window', 'code', 'decision'], rows));
}

function showShrunk(shrunk: Quarantine['shrunk']): void {
  if (shrunk.length === 0) return;
  print(
    '',
    `${count(shrunk.length, 'shrunk source')}, merged all the same because the windows were young:`,
    '',
  );
  const rows = shrunk.map(({ cluster, window, largest, now }) => [
    ...named(cluster, window),
    describeChange(largest, now),
  ]);
  print(...formatTable(['cluster', 'pipeline', 'window', 'loss'], rows));
  print(
    '',
    'Each stays listed until the cluster pushes a whole file, or `federated-etl accept <cluster>` confirms it.',
  );
}

function named(cluster: string, window: string): (string | undefined)[] {
  const ref = parseWindowId(window);
  return [cluster, ref?.pipeline, ref === undefined ? window : describeWindow(ref)];
}
