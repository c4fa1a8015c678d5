import type { AllocationAnswer, AllocationRow } from '../query/answer';
import { timeText } from '../query/notes';
import { derive } from './efficiency';
import { jsonArray, jsonObject, jsonWindow } from './json';
import { plainNumber } from './numbers';

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
export function summaryJson({ sets, window, stepSeconds }: AllocationAnswer, adjusted: boolean): string {
  const rendered = sets.map((set) =>
    jsonObject([
      ['allocations', jsonObject(set.rows.map((row) => [row.name, itemJson(summaryItem(row, adjusted))]))],
      ['window', jsonWindow(set.window)],
    ]),
  );
  // Nanoseconds of a long window are beyond what JavaScript counts exactly.
  const step = (BigInt(Math.round(stepSeconds)) * 1_000_000_000n).toString();
  return jsonObject([
    ['step', step],
    ['sets', jsonArray(rendered)],
    ['window', jsonWindow(window)],
  ]);
}

/** `data` of a topline: the sum over all rows of all sets. */
export function toplineJson({ sets, window }: AllocationAnswer, adjusted: boolean): string {
  const items = sets.flatMap(({ rows }) => rows.map((row) => summaryItem(row, adjusted)));
  const total: Record<string, string | number> = {
    name: 'total',
    start: timeText(window.start),
    end: timeText(window.end),
  };
  for (const item of items) {
    for (const [name, value] of Object.entries(item)) {
      if (typeof value === 'number') total[name] = Number(total[name] ?? 0) + value;
    }
  }
  // A sum of efficiencies means nothing: theirs is weighted by cost.
  const weighted = items.reduce(
    (sum, item) => sum + Number(item['totalEfficiency']) * Number(item['totalCost']),
    0,
  );
  const cost = Number(total['totalCost'] ?? 0);
  total['totalEfficiency'] = cost > 0 ? weighted / cost : 0;
  const combined = jsonObject([
    ['allocations', jsonObject([['total', itemJson(total)]])],
    ['window', jsonWindow(window)],
  ]);
  return jsonObject([
    ['numResults', String(items.length)],
    ['combined', combined],
  ]);
}

function itemJson(item: Record<string, string | number>): string {
  return jsonObject(
    Object.entries(item).map(([name, value]) => [
      name,
      typeof value === 'number' ? plainNumber(value) : JSON.stringify(value),
    ]),
  );
}
