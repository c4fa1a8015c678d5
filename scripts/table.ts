import Table from 'cli-table3';
import { visibleText } from '../etl/visible-text';
import { paint, paintState } from './colour';

type Cell = string | number | undefined;

export interface TableOptions {
  /** Headings of the columns that are omitted first if the table is too wide, the least important one first. */
  readonly optional?: readonly string[];
  /** Headings of the columns whose cells begin with the word for a state. This word is coloured. */
  readonly states?: readonly string[];
  /** Number of columns to fit into. (Default: the width of the terminal; no limit if there is no terminal) */
  readonly width?: number;
}

/** Number of spaces between two columns. */
const gap = 2;
/**
 * Escape code that the table package adds after a coloured cell. It is not needed, because our own codes have reset the
 * colour already, but the package does not recognise them.
 */
const needlessReset = '\u001b[39m';
/** Minimum width to which a column is narrowed. */
const narrowest = 8;

/**
 * Returns the lines of a plain text table: aligned columns below their headings, without borders. Returns no lines if
 * there are no rows. A table that is too wide loses its optional columns, and a line below it names them. If it is still too
 * wide, long cells are wrapped.
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  { optional = [], states = [], width = terminalWidth() }: TableOptions = {},
): string[] {
  if (rows.length === 0) return [];
  const texts = rows.map((row) => headings.map((_, column) => visibleText(String(row[column] ?? '-'))));
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...texts.map((row) => row[column] ?? '')].map(widthOf)),
  );
  const omitted: string[] = [];
  const shown = () => [...headings.keys()].filter((column) => !omitted.includes(headings[column] ?? ''));
  const total = () => shown().reduce((sum, column) => sum + (widths[column] ?? 0) + gap, -gap);
  for (const heading of optional) if (total() > width && headings.includes(heading)) omitted.push(heading);
  const columns = shown();
  const limit = widest(
    columns.map((column) => widths[column] ?? 0),
    width,
  );
  const cell = (text: string, finish: (line: string) => string) => wrap(text, limit).map(finish).join('\n');
  const table = drawn(
    columns.map((column) => cell((headings[column] ?? '').toUpperCase(), (line) => paint('heading', line))),
    texts.map((row) =>
      columns.map((column) => {
        const isState = states.includes(headings[column] ?? '');
        return cell(row[column] ?? '', (line) => (isState ? paintState(line) : line));
      }),
    ),
  );
  if (omitted.length === 0) return table;
  return [...table, `This terminal is too narrow for: ${omitted.join(', ')}. \`--json\` has everything.`];
}

function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

function widthOf(text: string): number {
  return [...text].length;
}

/**
 * Returns a limit for the width of each column. If wider columns are narrowed to this limit, all columns together fit
 * into `width`.
 */
function widest(widths: readonly number[], width: number): number {
  const space = width - gap * (widths.length - 1);
  let limit = Math.max(...widths);
  while (limit > narrowest && widths.reduce((sum, one) => sum + Math.min(one, limit), 0) > space) limit -= 1;
  return limit;
}

/** Wraps a text at `width` columns: between words, and within a word that is too long. */
function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = '';
    }
    const letters = [...(line === '' ? word : `${line} ${word}`)];
    while (letters.length > width) lines.push(letters.splice(0, width).join(''));
    line = letters.join('');
  }
  return [...lines, line];
}

function drawn(headings: string[], rows: string[][]): string[] {
  const nothing = ['top', 'bottom', 'mid', 'left', 'right'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
    [`mid-${side}`, ''],
  ]);
  const table = new Table({
    head: headings,
    chars: { ...(Object.fromEntries(nothing) as Record<string, string>), middle: ' '.repeat(gap) },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows);
  return table
    .toString()
    .replaceAll(needlessReset, '')
    .split('\n')
    .map((line) => line.trimEnd());
}
