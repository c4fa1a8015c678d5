import type { AllocationRow } from '../../../query/answer';
import type { AllocationRequest } from '../../../query/request';
import { totalCost } from './piece';

type Sort = AllocationRequest['sort'];

/**
 * Sorts rows as the request says. Rows with equal values are sorted by name. Rows whose value is NaN or infinite come
 * last.
 */
export function inOrder(rows: readonly AllocationRow[], sort: Sort): AllocationRow[] {
  const direction = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [ofA, ofB] = [sortValue(a, sort.by), sortValue(b, sort.by)];
    if (ofA === null || ofB === null) {
      return Number(ofA === null) - Number(ofB === null) || byText(a.name, b.name);
    }
    const order = typeof ofA === 'number' && typeof ofB === 'number' ? ofA - ofB : byText(ofA, ofB);
    return direction * order || byText(a.name, b.name);
  });
}

/**
 * Returns a page of rows. Idle rows do not count toward offset and limit, and are repeated on every page. But if the
 * offset skips all other rows, the page is empty.
 */
export function pageOf<Row extends { readonly name: string }>(
  rows: readonly Row[],
  { offset, limit }: Pick<AllocationRequest, 'offset' | 'limit'>,
): Row[] {
  const isIdle = ({ name }: Row) => name.includes('__idle__');
  const counted = rows.filter((row) => !isIdle(row));
  const page = new Set(counted.slice(offset, limit === undefined ? undefined : offset + limit));
  if (page.size === 0 && offset > 0) return [];
  return rows.filter((row) => isIdle(row) || page.has(row));
}

/** Returns the value by which a row is sorted. Returns null if that value is NaN or infinite. */
export function sortValue(row: AllocationRow, by: Sort['by']): number | string | null {
  const value = valueOf(row, by);
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function valueOf(row: AllocationRow, by: Sort['by']): number | string {
  const hours = (row.end - row.start) / 3_600;
  const perHour = (amount: number) => (hours <= 0 ? 0 : amount / hours);
  const cpuTotal = row.cpuCost + row.cpuCostAdjustment;
  const ramTotal = row.ramCost + row.ramCostAdjustment;
  const cpuEfficiency = efficiency(row.cpuCoreUsageAverage, row.cpuCoreRequestAverage, cpuTotal);
  const ramEfficiency = efficiency(row.ramByteUsageAverage, row.ramByteRequestAverage, ramTotal);
  switch (by) {
    case 'minutes':
      return hours * 60;
    case 'cpuCores':
      return perHour(row.cpuCoreHours);
    case 'gpuCount':
      return perHour(row.gpuHours);
    case 'ramBytes':
      return perHour(row.ramByteHours);
    case 'pvBytes':
      return perHour(row.pvByteHours);
    case 'cpuEfficiency':
      return cpuEfficiency;
    case 'ramEfficiency':
      return ramEfficiency;
    case 'gpuEfficiency':
      return gpuEfficiency(row);
    case 'totalEfficiency': {
      const total = cpuTotal + ramTotal;
      return total <= 0 ? 0 : (cpuEfficiency * cpuTotal + ramEfficiency * ramTotal) / total;
    }
    case 'totalCost':
      return totalCost({ numbers: row });
    default:
      return row[by];
  }
}

function efficiency(usage: number, request: number, cost: number): number {
  if (request > 0) return usage / request;
  return usage === 0 || cost === 0 ? 0 : 1;
}

function gpuEfficiency(row: AllocationRow): number {
  const { gpuUsageAverage: usage, gpuRequestAverage: request } = row;
  if (usage > 0 && request > 0) return usage / request;
  return usage === 0 || row.gpuCost + row.gpuCostAdjustment === 0 ? 0 : 1;
}

function byText(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
