import type { AllocationRow, AssetRow } from '../../../query/answer';
import { measures } from '../../../query/measures';
import type { AllocationRequest } from '../../../query/request';
import type { Span } from '../../../query/span';
import { sortValue } from './order';
import { someNumbers, totalCost } from './piece';

/** The result sets of a query, computed by the query engine or by the reference implementation. */
export interface SetsOf<Row> {
  readonly sets: readonly { readonly window: Span; readonly rows: readonly Row[] }[];
}

/**
 * Returns whether two numbers are equal, except for rounding errors. Implementations may add up numbers in different
 * orders.
 */
export function near(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1);
}

/**
 * Lists the differences between two answers about allocations, one line per difference. Rows are matched by name.
 */
export function allocationDifferences(
  expected: SetsOf<AllocationRow>,
  actual: SetsOf<AllocationRow>,
  details = true,
): string[] {
  const plain = (row: AllocationRow) => {
    const numbers = Object.fromEntries(measures.map((measure) => [measure, row[measure]]));
    const { name, properties, window, start, end, pvs, lbAllocations, gpuAllocation, rawAllocationOnly } =
      row;
    const said = { properties, pvs, lbAllocations, gpuAllocation, rawAllocationOnly };
    return { name, window, start, end, ...numbers, ...(details && said) };
  };
  return differencesByName(expected, actual, ({ name }) => name, plain);
}

/**
 * Lists the rows that are at a wrong position, one line per row. If the sort values of two rows differ only by rounding
 * errors, either order is right. If the sort values are identical, the rows must be sorted by name.
 */
export function orderDifferences(
  expected: SetsOf<AllocationRow>,
  actual: SetsOf<AllocationRow>,
  sort: AllocationRequest['sort'],
): string[] {
  return expected.sets.flatMap((set, index) => {
    const found = actual.sets[index]?.rows ?? [];
    return found.flatMap((row, at) => {
      const value = sortValue(row, sort.by);
      const [other, before] = [set.rows[at], found[at - 1]];
      const place = other && sortValue(other, sort.by);
      const alike = typeof value === 'number' && typeof place === 'number' && near(value, place);
      const byName = before === undefined || sortValue(before, sort.by) !== value || before.name < row.name;
      return (alike || value === place) && byName
        ? []
        : [`set ${index}: ${row.name} with ${value} is at ${at}, expected ${place}`];
    });
  });
}

/**
 * Like `allocationDifferences`, but for assets. Ignores GPU counts, pools, overheads and maxima, because the contract
 * does not define how to merge them.
 */
export function assetDifferences(expected: SetsOf<AssetRow>, actual: SetsOf<AssetRow>): string[] {
  const plain = (row: AssetRow) => ({ ...row, gpuCount: 0, pool: '', overhead: null, byteUsageMax: null });
  return differencesByName(expected, actual, ({ key }) => key, plain);
}

/** Adds up the total costs of all rows in all sets. */
export function totalOfAllocations({ sets }: SetsOf<AllocationRow>): number {
  return sum(sets.flatMap(({ rows }) => rows.map(rowCost)));
}

/** Computes the total cost of a row, including its adjustments. */
export function rowCost(row: AllocationRow): number {
  return totalCost({ numbers: someNumbers(row) });
}

/** Adds up the total costs of all assets in all sets. */
export function totalOfAssets({ sets }: SetsOf<AssetRow>): number {
  return sum(sets.flatMap(({ rows }) => rows.map((row) => row.totalCost)));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function differencesByName<Row>(
  expected: SetsOf<Row>,
  actual: SetsOf<Row>,
  nameOf: (row: Row) => string,
  plain: (row: Row) => object,
): string[] {
  const windows = ({ sets }: SetsOf<Row>) => sets.map(({ window }) => `${window.start}-${window.end}`);
  const found = differences(windows(expected), windows(actual), 'windows');
  if (found.length > 0) return found;
  expected.sets.forEach((set, index) => {
    const other = new Map((actual.sets[index]?.rows ?? []).map((row) => [nameOf(row), row]));
    if (other.size !== actual.sets[index]?.rows.length) found.push(`set ${index}: a duplicate name`);
    for (const row of set.rows) {
      const [name, same] = [nameOf(row), other.get(nameOf(row))];
      other.delete(name);
      if (same === undefined) found.push(`set ${index}: ${name} is missing`);
      else found.push(...differences(plain(row), plain(same), `set ${index}: ${name}`));
    }
    for (const name of other.keys()) found.push(`set ${index}: ${name} is unexpected`);
  });
  return found;
}

/**
 * Lists the differences between two values, one line per difference. `where` is the name of the value in these lines.
 * An empty member counts as equal to a missing one.
 */
function differences(expected: unknown, actual: unknown, where: string): string[] {
  if (typeof expected === 'number' && typeof actual === 'number' && near(expected, actual)) return [];
  const [left, right] = [entriesOf(expected), entriesOf(actual)];
  if (left !== undefined && right !== undefined) {
    const names = [...new Set([...left.keys(), ...right.keys()])];
    return names.flatMap((name) => differences(left.get(name), right.get(name), `${where}.${name}`));
  }
  if (isNothing(expected) && isNothing(actual)) return [];
  if (expected === actual) return [];
  return [`${where}: ${JSON.stringify(expected)} expected, ${JSON.stringify(actual)} found`];
}

function entriesOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || entriesOf(value)?.size === 0;
}
