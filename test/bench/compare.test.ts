import { readFileSync } from 'node:fs';
import path from 'node:path';
import { better, compareSection, ratioColumns, tablesIn } from '../../bench/compare';
import { type BenchName, sectionTitles, withSection } from '../../bench/results-page';
import { type Cell, markdownTable } from '../../bench/table';

/** Returns a page whose merge section has a table with these rows. */
function page(...rows: Cell[][]): string {
  const headings = ['pipeline', 'clusters', 'MB', 'splice / copy', 'federator / aim'];
  return withSection('', 'm', 'merge', `Facts.\n\n${markdownTable(headings, rows)}\n\nMore facts.`);
}

describe('comparing two pages of results', () => {
  const before = page(['allocations', 5, 12.5, 0.8, 1.2], ['assets', 5, 2.4, 1_250, undefined]);

  it('finds each ratio by its row, and no other number', () => {
    expect(compareSection(before, before, 'merge')).toEqual([
      { name: 'allocations, 5: splice / copy', before: 0.8, now: 0.8, change: 1, worse: false },
      { name: 'allocations, 5: federator / aim', before: 1.2, now: 1.2, change: 1, worse: false },
      { name: 'assets, 5: splice / copy', before: 1_250, now: 1_250, change: 1, worse: false },
    ]);
  });

  it.each([
    ['less than a quarter lower', 0.61, 1.2, []],
    ['more than a quarter lower', 0.59, 1.2, ['allocations, 5: splice / copy']],
    ['twice as high', 1.6, 1.2, []],
    ['less than a third higher, where lower is better', 0.8, 1.58, []],
    ['more than a third higher, where lower is better', 0.8, 1.62, ['allocations, 5: federator / aim']],
  ])('says whether a ratio is worse that is %s', (_, splice, federator, worse) => {
    const compared = compareSection(before, page(['allocations', 5, 12.5, splice, federator]), 'merge');
    expect(compared.filter((ratio) => ratio.worse).map(({ name }) => name)).toEqual(worse);
  });

  it('leaves out the rows that only one of the pages has', () => {
    const quick = page(['allocations', 50, 125, 0.1, 9]);
    expect(compareSection(before, quick, 'merge')).toEqual([]);
    expect(compareSection(before, before, 'scale')).toEqual([]);
  });

  it('takes the better of two measurements', () => {
    const [slow, fast] = [0.5, 0.7].map((splice) =>
      compareSection(before, page(['allocations', 5, 12.5, splice, 1.2]), 'merge'),
    );
    for (const ratios of [better(slow ?? [], fast ?? []), better(fast ?? [], slow ?? [])])
      expect(ratios).toEqual(fast);
  });
});

describe('bench/results.md', () => {
  const results = readFileSync(path.join(__dirname, '..', '..', 'bench', 'results.md'), 'utf8');

  /** Columns that look like a ratio, but are not one of two measurements that belong together. */
  const notCompared = new Map([
    ['first / changed', 'it also falls if the first run becomes faster'],
    ["alone / OpenCost's 32", 'OpenCost was measured on another day'],
  ]);

  it('has no ratio that a comparison does not know', () => {
    const headings = new Set(tablesIn(results).flatMap((table) => table.headings));
    const ratios = [...headings].filter((heading) => heading.includes(' / '));
    expect(ratios.filter((heading) => !ratioColumns.has(heading) && !notCompared.has(heading))).toEqual([]);
    expect(ratios.length).toBeGreaterThan(4);
  });

  it('has rows of every ratio that a comparison knows', () => {
    const names = Object.keys(sectionTitles) as BenchName[];
    const found = names.flatMap((name) => compareSection(results, results, name).map((ratio) => ratio.name));
    for (const column of ratioColumns.keys())
      expect(found.filter((name) => name.endsWith(`: ${column}`))).not.toEqual([]);
  });
});
