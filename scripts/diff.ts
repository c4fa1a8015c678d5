import type { Command } from 'commander';
import { describeWindow, parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import { compareGenerations, type Comparison } from '../operator/diff';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { formatTable } from './table';

/** Compares two generations. */
export async function diff(from: number, to: number | undefined, command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { windows: number; json?: true }>();
  await using context = openContext(options);
  const comparison = await compareGenerations(await context.bucket(), from, to, options.windows);
  if (options.json) printJson(comparison);
  else show(comparison);
  const { changes, damaged } = comparison;
  if (damaged.length > 0 || changes.some(({ unreadable }) => unreadable !== undefined)) process.exitCode = 1;
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
