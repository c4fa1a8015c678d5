import { type BenchName, sectionOf } from './results-page';

/**
 * The columns of the results page that are compared: ratios of two measurements of the same run, so that they differ
 * little between machines. The value says which is better.
 */
export const ratioColumns: ReadonlyMap<string, 'higher' | 'lower'> = new Map([
  ['splice / decoding', 'higher'],
  ['federator / copy', 'higher'],
  ['splice / copy', 'higher'],
  ['CPU: splice / copy', 'higher'],
  ['federator / aim', 'lower'],
  ['with / without', 'lower'],
]);

/** Columns that tell rows of a table apart. Columns of measurements follow them. */
const keyColumns: ReadonlySet<string> = new Set(['pipeline', 'clusters', 'store', 'windows', 'run']);

/** A ratio is worse than before if it is more than a quarter worse. */
const tolerated = 0.75;

export interface ComparedRatio {
  /** Table row and column, such as `allocations, 5: splice / copy`. Unique within a section. */
  readonly name: string;
  readonly before: number;
  readonly now: number;
  /** How the ratio has changed: 1 is as before, 2 is twice as good, 0.5 is half as good. */
  readonly change: number;
  /** Whether the ratio is more than a quarter worse than before. */
  readonly worse: boolean;
}

/**
 * Compares the ratios in a benchmark's section of two results pages. Ratios that only one of the pages has are not
 * compared: a quick run measures fewer rows than a full one.
 *
 * @param before the text of the page to compare with
 * @param now the text of the page with the new measurements
 */
export function compareSection(before: string, now: string, name: BenchName): ComparedRatio[] {
  const earlier = ratiosIn(sectionOf(before, name) ?? '');
  return [...ratiosIn(sectionOf(now, name) ?? '')].flatMap(([ratio, { value, better }]) => {
    const was = earlier.get(ratio)?.value;
    if (was === undefined) return [];
    const change = better === 'higher' ? value / was : was / value;
    return [{ name: ratio, before: was, now: value, change, worse: change < tolerated }];
  });
}

/** Returns the better of two measurements of each ratio. */
export function better(one: readonly ComparedRatio[], other: readonly ComparedRatio[]): ComparedRatio[] {
  const others = new Map(other.map((ratio) => [ratio.name, ratio]));
  return one.map((ratio) => {
    const again = others.get(ratio.name);
    return again !== undefined && again.change > ratio.change ? again : ratio;
  });
}

interface Ratio {
  readonly value: number;
  readonly better: 'higher' | 'lower';
}

/** Returns the ratios in all tables of a section, by name. Leaves out cells that are empty. */
function ratiosIn(section: string): Map<string, Ratio> {
  const ratios = new Map<string, Ratio>();
  for (const { headings, rows } of tablesIn(section)) {
    for (const cells of rows) {
      const keys = cells.filter((_, column) => keyColumns.has(headings[column] ?? ''));
      headings.forEach((heading, column) => {
        const better = ratioColumns.get(heading);
        const value = Number((cells[column] ?? '').replaceAll(',', ''));
        if (better === undefined || Number.isNaN(value)) return;
        ratios.set(`${keys.join(', ')}: ${heading}`, { value, better });
      });
    }
  }
  return ratios;
}

interface Table {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Returns the Markdown tables in a text, as `markdownTable` writes them. */
export function tablesIn(text: string): Table[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => {
    const [headings, rule, ...rows] = paragraph
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    return headings !== undefined && rule?.every((cell) => /^:?-+:?$/.test(cell)) && rule.length > 0
      ? [{ headings, rows }]
      : [];
  });
}
