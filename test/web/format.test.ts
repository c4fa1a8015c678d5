import { age, bytes, count, displayName, moment, money, percent, rated, span } from '../../web/format';

describe('amounts', () => {
  it.each([
    [1234.5, 'USD', '$1,234.50'],
    [-3.456, 'EUR', '-€3.46'],
    [0, 'USD', '$0.00'],
    [0.00123, 'USD', '$0.0012'],
    [12, 'cost units', '12.00 cost units'],
  ])('%d in %s is %s', (value, currency, text) => {
    expect(money(value, currency)).toBe(text);
  });

  it('are shown for the window, a day or a month of 730 hours', () => {
    expect(rated(48, 24, 'total')).toBe(48);
    expect(rated(48, 48, 'day')).toBe(24);
    expect(rated(48, 24, 'month')).toBe(1_460);
    expect(rated(48, 0, 'month')).toBe(0);
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-21T07:00:00Z');

  it.each([
    ['2026-11-21T06:59:20Z', '40 s'],
    ['2026-11-21T06:57:00Z', '3 min'],
    ['2026-11-21T02:00:00Z', '5 h'],
    ['2026-11-16T07:00:00Z', '5 d'],
    ['2026-11-22T00:00:00Z', '0 s'],
    [undefined, 'never'],
  ])('%s is %s ago', (time, text) => {
    expect(age(time, now)).toBe(text);
  });

  it.each([
    [800, '0.8 s'],
    [12_300, '12 s'],
    [185_000, '3 min 5 s'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(span(milliseconds)).toBe(text);
  });

  it('are written in UTC, to the minute', () => {
    expect(moment('2026-11-20T15:05:59+01:00')).toBe('2026-11-20 14:05');
    expect(moment(undefined)).toBe('');
  });
});

describe('other values', () => {
  it('are shares in percent', () => {
    expect([percent(0.78), percent(0.0123), percent(0)]).toEqual(['78%', '1.2%', '0%']);
  });

  it('are sizes in decimal units', () => {
    expect([bytes(999), bytes(1_500), bytes(48_000_000)]).toEqual(['999 B', '1.5 kB', '48 MB']);
  });

  it('are counts of a noun', () => {
    expect([0, 1, 2].map((number) => count(number, 'row'))).toEqual(['0 rows', '1 row', '2 rows']);
  });

  it('are descriptive names', () => {
    expect(displayName('__idle__')).toBe('Idle');
    expect(displayName('c1/__idle__')).toBe('c1/Idle');
    expect(displayName('__unallocated__')).toBe('Unallocated');
    expect(displayName('kube-system')).toBe('kube-system');
    expect(displayName('constructor')).toBe('constructor');
  });
});
