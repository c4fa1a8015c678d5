import type { AllocationAnswer, AllocationRow } from '../query/answer';
import { timeText } from '../query/notes';
import { derive } from '../query/derived';
import { arrayParts, jsonObject, jsonWindow, objectParts, type Parts } from './json';
import { rounded } from './numbers';

const averages = [
  'cpuCoreRequestAverage',
  'cpuCoreUsageAverage',
  'cpuCoreLimitAverage',
  'gpuRequestAverage',
  'gpuUsageAverage',
  'ramByteRequestAverage',
  'ramByteUsageAverage',
  'ramByteLimitAverage',
] as const;
const costs = ['cpuCost', 'gpuCost', 'ramCost', 'networkCost', 'loadBalancerCost', 'pvCost'] as const;

export const summaryDecimals = 9;

/** The members of an item, in their order. */
export const summaryMembers = [
  'name',
  'start',
  'end',
  ...averages,
  ...costs,
  'cpuCostIdle',
  'gpuCostIdle',
  'ramCostIdle',
  'sharedCost',
  'externalCost',
  'totalEfficiency',
  'totalCost',
] as const;

/** A row in short. Kubecost's costs hold their adjustments, OpenCost's do not. */
export function summaryItem(row: AllocationRow, adjusted: boolean): Record<string, string | number> {
  const derived = derive(row);
  const item: Record<string, string | number> = {
    name: row.name,
    start: timeText(row.start),
    end: timeText(row.end),
  };
  for (const name of averages) item[name] = row[name];
  let total = row.sharedCost + row.externalCost;
  for (const name of costs) {
    const cost = row[name] + (adjusted ? row[`${name}Adjustment`] : 0);
    item[name] = cost;
    total += cost;
  }
  item['cpuCostIdle'] = row.cpuCostIdle;
  item['gpuCostIdle'] = row.gpuCostIdle;
  item['ramCostIdle'] = row.ramCostIdle;
  item['sharedCost'] = row.sharedCost;
  item['externalCost'] = row.externalCost;
  item['totalEfficiency'] = derived.totalEfficiency;
  item['totalCost'] = total;
  return item;
}

/** `data` of a summary. */
export function* summaryParts({ sets, window }: AllocationAnswer, adjusted: boolean): Parts {
  const { start, end } = sets[0]?.window ?? window;
  // Nanoseconds of a long window are beyond what JavaScript counts exactly.
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

/** What is added up to a total; efficiencies are not. */
const summed = [
  ...averages,
  ...costs,
  'cpuCostIdle',
  'gpuCostIdle',
  'ramCostIdle',
  'sharedCost',
  'externalCost',
] as const;

/** `data` of a topline: the sum over all rows of all sets. */
export function* toplineParts({ sets, window }: AllocationAnswer, adjusted: boolean): Parts {
  const sums = new Map<string, number>(summed.map((name) => [name, 0]));
  let [count, cost, weighted] = [0, 0, 0];
  for (const row of sets.flatMap(({ rows }) => rows)) {
    const item = summaryItem(row, adjusted);
    for (const name of summed) sums.set(name, (sums.get(name) ?? 0) + Number(item[name]));
    count++;
    cost += Number(item['totalCost']);
    weighted += Number(item['totalEfficiency']) * Number(item['totalCost']);
  }
  const total = {
    name: 'total',
    start: timeText(window.start),
    end: timeText(window.end),
    ...Object.fromEntries(sums),
    // A sum of efficiencies means nothing: theirs is weighted by cost.
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
