import type { AllocationAnswer, AllocationRow } from '../query/answer';
import { derive } from '../query/derived';
import { timeText } from '../query/notes';
import type { SummaryNumber } from './allocation-numbers';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { rounded } from './numbers';

/**
 * How each number in an item of a summary is obtained from the row. The numbers are in output order.
 * - `taken`: copied from the row.
 * - `adjusted`: a cost from the row. In Kubecost's answers, it includes its adjustment; in OpenCost's, it does not.
 * - `derived`: calculated from other numbers.
 */
const numbers = {
  cpuCoreRequestAverage: 'taken',
  cpuCoreUsageAverage: 'taken',
  cpuCoreLimitAverage: 'taken',
  gpuRequestAverage: 'taken',
  gpuUsageAverage: 'taken',
  ramByteRequestAverage: 'taken',
  ramByteUsageAverage: 'taken',
  ramByteLimitAverage: 'taken',
  cpuCost: 'adjusted',
  gpuCost: 'adjusted',
  ramCost: 'adjusted',
  networkCost: 'adjusted',
  loadBalancerCost: 'adjusted',
  pvCost: 'adjusted',
  cpuCostIdle: 'taken',
  gpuCostIdle: 'taken',
  ramCostIdle: 'taken',
  sharedCost: 'taken',
  externalCost: 'taken',
  totalEfficiency: 'derived',
  totalCost: 'derived',
} as const satisfies Record<SummaryNumber, 'taken' | 'adjusted' | 'derived'>;

type Kind = (typeof numbers)[SummaryNumber];
type NameOf<Of extends Kind> = {
  [Name in SummaryNumber]: (typeof numbers)[Name] extends Of ? Name : never;
}[SummaryNumber];

const names = Object.keys(numbers) as SummaryNumber[];

function isOf<Of extends Kind>(name: SummaryNumber, ...kinds: readonly Of[]): name is NameOf<Of> {
  return kinds.some((kind) => kind === numbers[name]);
}

/** Names of the numbers that are added up for a topline (the total of all rows): all except the derived ones. */
const summed = names.filter((name) => isOf(name, 'taken', 'adjusted'));
const adjustable = names.filter((name) => isOf(name, 'adjusted'));

export const summaryDecimals = 9;

/** Names of the members of a summary's item, in output order. */
export const summaryMembers = ['name', 'start', 'end', ...names] as const;

/** An item of a summary. Its members are in the order of `summaryMembers`. */
export type SummaryItem = Readonly<Record<'name' | 'start' | 'end', string> & Record<SummaryNumber, number>>;

/**
 * Converts a row to an item of a summary.
 *
 * @param adjusted whether costs include their adjustments, as in Kubecost's answers
 */
export function summaryItem(row: AllocationRow, adjusted: boolean): SummaryItem {
  const cost = (name: (typeof adjustable)[number]) => row[name] + (adjusted ? row[`${name}Adjustment`] : 0);
  const derived = {
    totalEfficiency: derive(row).totalEfficiency,
    totalCost: adjustable.reduce((sum, name) => sum + cost(name), row.sharedCost + row.externalCost),
  };
  const value = (name: SummaryNumber) =>
    isOf(name, 'adjusted') ? cost(name) : isOf(name, 'derived') ? derived[name] : row[name];
  return {
    ...{ name: row.name, start: timeText(row.start), end: timeText(row.end) },
    ...(Object.fromEntries(names.map((name) => [name, value(name)])) as Record<SummaryNumber, number>),
  };
}

/** Encodes the `data` member of a summary. */
export function* summaryParts({ sets, window }: AllocationAnswer, adjusted: boolean): Parts {
  const { start, end } = sets[0]?.window ?? window;
  // Use BigInt, because the length of a long window in nanoseconds exceeds Number.MAX_SAFE_INTEGER.
  yield `{"step":${BigInt(Math.round(end - start)) * 1_000_000_000n},"sets":`;
  yield* arrayParts(sets, function* (set): Parts {
    yield '{"allocations":';
    yield* objectParts(
      set.rows,
      ({ name }) => name,
      (row) => itemJson(summaryItem(row, adjusted)),
    );
    yield `,"window":${jsonWindow(set.window)}}`;
  });
  yield `,"window":${jsonWindow(window)}}`;
}

/** Encodes the `data` member of a topline: the total of all rows of all sets. */
export function* toplineParts({ sets, window }: AllocationAnswer, adjusted: boolean): Parts {
  const sums = new Map(summed.map((name) => [name, 0]));
  let [count, cost, weighted] = [0, 0, 0];
  for (const row of sets.flatMap(({ rows }) => rows)) {
    // A part for each row lets the encoding pause.
    yield '';
    const item = summaryItem(row, adjusted);
    for (const name of summed) sums.set(name, (sums.get(name) ?? 0) + item[name]);
    count++;
    cost += item.totalCost;
    weighted += item.totalEfficiency * item.totalCost;
  }
  const total = {
    name: 'total',
    start: timeText(window.start),
    end: timeText(window.end),
    ...Object.fromEntries(sums),
    // Efficiencies cannot be added up, so the total's efficiency is their average, weighted by cost.
    totalEfficiency: cost > 0 ? weighted / cost : 0,
    totalCost: cost,
  };
  yield `{"numResults":${count},"combined":{"allocations":{"total":${itemJson(total)}}`;
  yield `,"window":${jsonWindow(window)}}}`;
}

function itemJson(item: Record<string, string | number>): string {
  return jsonObject(
    Object.entries(item).map(([name, value]) => [
      name,
      typeof value === 'number' ? rounded(value, summaryDecimals) : JSON.stringify(value),
    ]),
  );
}
