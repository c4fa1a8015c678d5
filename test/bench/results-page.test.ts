import { withSection } from '../../bench/results-page';

const table = '| run | seconds |\n| --- | ---: |\n| first | 1.5 |';

describe('bench/results.md', () => {
  it('begins with the machine', () => {
    const page = withSection('', '2 × CPU', 'scale', table);
    expect(page).toMatch(/^# Results of the benchmarks\n/);
    expect(page).toContain('\nMachine: 2 × CPU\n');
    expect(page).toContain(`\n## Scale\n\n${table}\n`);
  });

  it('has its sections in order, whichever is written first', () => {
    const page = withSection(withSection('', 'm', 'freshness', 'late'), 'm', 'merge', 'early');
    expect(page.match(/^## .*/gm)).toEqual(['## Merge of one window', '## Freshness']);
  });

  it('replaces a section and leaves the others unchanged', () => {
    const before = ['merge', 'scale', 'freshness'] as const;
    const page = before.reduce((all, name) => withSection(all, 'm', name, `### Of ${name}\n\n${table}`), '');
    const after = withSection(page, 'm', 'scale', 'new results');
    expect(after).toBe(page.replace(`### Of scale\n\n${table}`, 'new results'));
    expect(withSection(after, 'm', 'scale', `### Of scale\n\n${table}`)).toBe(page);
  });

  it('drops measurements from another machine', () => {
    const page = withSection(withSection('', 'slow', 'merge', 'old'), 'fast', 'scale', 'new');
    expect(page).not.toContain('old');
    expect(page).toContain('new');
    expect(page).toContain('Machine: fast');
  });
});
