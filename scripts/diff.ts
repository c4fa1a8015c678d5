import type { Command } from 'commander';
import { describeWindow, parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import { compareGenerations, type Comparison, mostWindows } from '../operator/diff';
import { type CommandOptions, openContext } from './context';
import { formatTable, print, printJson } from './output';
import { parseCount } from './parse-options';

/** Adds the verb `diff` to the command line. */
export function registerDiff(program: Command): void {
  program
    .command('diff')
    .argument('<from>', 'the number of a generation', parseCount)
    .argument('[to]', 'the number of another one (default: the newest)', parseCount)
    .description('compare the costs of two generations: by cluster, pipeline and window')
    .option('--windows <n>', 'how many differing windows to compare at most', parseCount, mostWindows)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl diff 41 42\n' +
        '\nExit status 1: a window, or a newer generation, is damaged or gone; the rest is compared.\n',
    )
    .action(async (from: number, to: number | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { windows: number; json?: true }>();
      await using context = openContext(options);
      const comparison = await compareGenerations(await context.bucket(), from, to, options.windows);
      if (options.json) printJson(comparison);
      else show(comparison);
      const { changes, damaged } = comparison;
      if (damaged.length > 0 || changes.some(({ unreadable }) => unreadable !== undefined))
        process.exitCode = 1;
    });
}

function show({ from, to, joined, left, changes, omitted, totals, damaged }: Comparison): void {
  for (const line of damaged) print(line);
  if (damaged.length > 0) print();
  if (joined.length > 0) print(`in ${to} but not in ${from}: ${joined.join(', ')}`);
  if (left.length > 0) print(`in ${from} but not in ${to}: ${left.join(', ')}`);
  if (changes.length === 0) return print(`Generations ${from} and ${to} have the same windows.`);
  const rows = totals.map(({ pipeline, resolution, cluster = 'all', before, after }) => [
    `${pipeline} ${resolution}`,
    cluster,
    ...amounts(before, after),
  ]);
  print(...formatTable(['costs that differ', 'cluster', `in ${from}`, `in ${to}`, 'change'], rows));
  const lines = changes.flatMap(({ window, change, clusters }) => {
    const ref = parseWindowId(window);
    const name = ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`;
    if (clusters.length === 0) return [[name, change, '', '', '', '']];
    return clusters.map(({ cluster, before, after }) => [name, change, cluster, ...amounts(before, after)]);
  });
  print();
  print(...formatTable(['window', '', 'cluster', `in ${from}`, `in ${to}`, 'change'], lines));
  for (const { window, unreadable } of changes)
    if (unreadable !== undefined) print('', `${window} was not compared: ${unreadable}`);
  if (omitted > 0)
    print(
      '',
      `${count(omitted, 'older window')} differ, too, and were not compared; --windows compares more.`,
    );
}

function amounts(before: number | null, after: number | null): string[] {
  const change = (after ?? 0) - (before ?? 0);
  return [
    before?.toFixed(2) ?? '-',
    after?.toFixed(2) ?? '-',
    `${change < 0 ? '' : '+'}${change.toFixed(2)}`,
  ];
}
