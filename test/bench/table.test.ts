import { markdownTable, median, medianOf, shown } from '../../bench/table';

describe('the tables of the benchmarks', () => {
  it.each([
    [1234.4, '1,234'],
    [280, '280'],
    [99.96, '100'],
    [56.78, '56.8'],
    [0.012345, '0.0123'],
    [0, '0'],
    [NaN, '–'],
    [Infinity, '–'],
    [undefined, '–'],
    ['first run', 'first run'],
  ])('show %p as %p', (value, text) => expect(shown(value)).toBe(text));

  it('align numbers right', () =>
    expect(markdownTable(['run', 'seconds', 'store'], [['first', 1.5, 'S3']])).toBe(
      ['| run | seconds | store |', '| --- | ---: | --- |', '| first | 1.5 | S3 |'].join('\n'),
    ));

  it('show medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([10, 9])).toBe(9.5);
    expect(median([])).toBeNaN();
    expect(medianOf([{ s: 5 }, { s: 1 }, { s: 2 }], ({ s }) => s)).toBe(2);
  });
});
