/** What a table shows: numbers by `shown`, words as they are, and what was not measured as a dash. */
export type Cell = number | string | undefined;

/** Numbers of any size with about three digits: `1,234`, `56.7`, `0.0123`; whole ones as they are. */
export function shown(value: Cell): string {
  if (typeof value === 'string') return value;
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** A table in Markdown. The first column and words are to the left, numbers to the right. */
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

/** The middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1] ?? NaN, sorted[Math.floor(middle)] ?? NaN];
  return (below + above) / 2;
}

/** The median of one number of each measurement. */
export function medianOf<Measured>(all: readonly Measured[], number: (one: Measured) => number): number {
  return median(all.map(number));
}
