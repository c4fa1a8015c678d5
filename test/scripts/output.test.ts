import { formatTable } from '../../scripts/output';

describe('output for people', () => {
  it('has tables of plain columns', () => {
    const table = formatTable(
      ['name', 'n'],
      [
        ['longer', 1],
        ['x', undefined],
      ],
    );
    expect(table).toBe('NAME    N\nlonger  1\nx       -');
    expect(formatTable(['name'], [])).toBe('');
  });
});
