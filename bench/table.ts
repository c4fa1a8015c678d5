/** Content of a table cell. Undefined means that there is no measurement. */
export type Cell = number | string | undefined;

/**
 * Formats the content of a table cell. Rounds a number to about three digits (`1,234`, `56.7`, `0.0123`), but formats
 * an integer in full. Returns a dash for undefined, NaN and infinity.
 */
export function shown(value: Cell): string {
  if (typeof value === 'string') return value;
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/**
 * Returns a Markdown table. Aligns the first column and all columns that contain text to the left, and the others to
 * the right.
 */
export function markdownTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const isWords = (column: number) => column === 0 || rows.some((row) => isWord(row[column]));
  return [
    line(headings),
    line(headings.map((_, column) => (isWords(column) ? '---' : '---:'))),
    ...rows.map((row) => line(row.map(shown))),
  ].join('\n');
}

function isWord(cell: Cell): boolean {
  return typeof cell === 'string';
}

/** Returns the median, or NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1] ?? NaN, sorted[Math.floor(middle)] ?? NaN];
  return (below + above) / 2;
}

/** Reads one number from each measurement and returns the median of these numbers. */
export function medianOf<Measured>(all: readonly Measured[], number: (one: Measured) => number): number {
  return median(all.map(number));
}
