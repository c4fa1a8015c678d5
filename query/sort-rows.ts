import type { Pace } from '../concurrency/pace';
import type { AllocationRow } from './answer';
import { compareTexts } from './compare-texts';
import { rowCost } from './cost';
import { derive, type Derived, derivedNames, type SortField } from './derived';
import type { AllocationRequest } from './request';

/**
 * Returns the rows in sorted order. Rows with equal values are sorted by name. Rows whose value is NaN or infinite come
 * last.
 */
export async function sortRows<Row extends AllocationRow>(
  pace: Pace,
  rows: readonly Row[],
  { by, descending }: AllocationRequest['sort'],
): Promise<Row[]> {
  const sign = descending ? -1 : 1;
  if (by === 'name') return pace.sort(rows, (a, b) => sign * byName(a, b));
  // Compute the value of each row only once, instead of at every comparison.
  const values = await pace.map(rows, (row) => ({ row, value: valueOf(row, by) }));
  const sorted = await pace.sort(values, (a, b) => {
    const [known, otherKnown] = [Number.isFinite(a.value), Number.isFinite(b.value)];
    if (known !== otherKnown) return known ? -1 : 1;
    return (known ? sign * (a.value - b.value) : 0) || byName(a.row, b.row);
  });
  return pace.map(sorted, ({ row }) => row);
}

function byName(a: AllocationRow, b: AllocationRow): number {
  return compareTexts(a.name, b.name);
}

function valueOf(row: AllocationRow, by: Exclude<SortField, 'name'>): number {
  if (by === 'totalCost') return rowCost(row);
  return isDerived(by) ? derive(row)[by] : row[by];
}

function isDerived(name: Exclude<SortField, 'name'>): name is keyof Derived {
  return derivedNames.has(name);
}
