import type { AllocationRow } from './answer';
import { compareTexts } from './compare-texts';
import { rowCost } from './cost';
import { derive, type Derived, derivedNames, type SortField } from './derived';
import type { AllocationRequest } from './request';

/**
 * Returns the rows in sorted order. Rows with equal values are sorted by name. Rows whose value is NaN or infinite come
 * last.
 */
export function sortRows<Row extends AllocationRow>(
  rows: readonly Row[],
  { by, descending }: AllocationRequest['sort'],
): Row[] {
  const sign = descending ? -1 : 1;
  if (by === 'name') return [...rows].sort((a, b) => sign * byName(a, b));
  // Compute the value of each row only once, instead of at every comparison.
  const values = rows.map((row) => [row, valueOf(row, by)] as const);
  const [known, unknown] = [true, false].map((is) =>
    values.filter(([, value]) => Number.isFinite(value) === is),
  );
  return [
    ...(known ?? []).sort(([a, x], [b, y]) => sign * (x - y) || byName(a, b)),
    ...(unknown ?? []).sort(([a], [b]) => byName(a, b)),
  ].map(([row]) => row);
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
