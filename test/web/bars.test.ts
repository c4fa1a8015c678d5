import fc from 'fast-check';
import { aboutBars, barsOf, type BarUnit, seriesOf, unitOf } from '../../web/bars';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const text = (moment: number) => `${new Date(moment).toISOString().slice(0, 19)}Z`;

/**
 * Makes consecutive sets of equal length. The first one begins at `first`. Each element of `costs` contains the costs
 * of one set, keyed by row name.
 */
function sets(first: string, costs: readonly Record<string, number>[], length = dayMs) {
  return costs.map((allocations, at) => {
    const start = Date.parse(first) + at * length;
    return {
      window: { start: text(start), end: text(start + length) },
      allocations: Object.fromEntries(
        Object.entries(allocations).map(([name, totalCost]) => [name, { totalCost }]),
      ),
    };
  });
}
const alike = (count: number, cost = 1) => Array.from({ length: count }, () => ({ a: cost }));
const labels = (...given: Parameters<typeof barsOf>) => barsOf(...given).map(({ label }) => label);

describe('bars', () => {
  it('of days are the sets, each labelled with its day', () => {
    expect(labels(sets('2026-11-14T00:00:00Z', alike(3)), 'day')).toEqual(['11-14', '11-15', '11-16']);
  });

  it('of hours show the day only if there are several', () => {
    const hours = (count: number) => labels(sets('2026-11-14T22:00:00Z', alike(count), hourMs), 'hour');
    expect(hours(2)).toEqual(['22:00', '23:00']);
    expect(hours(3)).toEqual(['11-14 22:00', '11-14 23:00', '11-15 00:00']);
  });

  it('of weeks begin on Sundays, and are cut off at the window', () => {
    // The window has 11 days, from a Friday to a Monday. Weeks begin on Sunday, so it touches three weeks.
    const bars = barsOf(sets('2026-11-13T00:00:00Z', alike(11)), 'week');
    expect(bars.map(({ label }) => label)).toEqual(['11-13 to 11-14', '11-15 to 11-21', '11-22 to 11-23']);
    expect(bars.map(({ costs }) => costs.get('a'))).toEqual([2, 7, 2]);
    expect(bars[0]).toMatchObject({ start: '2026-11-13T00:00:00Z', end: '2026-11-15T00:00:00Z' });
  });

  it('of months are cut off at the window', () => {
    expect(labels(sets('2026-11-29T00:00:00Z', alike(34)), 'month')).toEqual([
      '11-29 to 11-30',
      '12-01 to 12-31',
      '01-01',
    ]);
  });

  it('use the days of the server, if these are not days of UTC', () => {
    const days = sets('2026-11-13T22:00:00Z', alike(3));
    expect(labels(days, 'day')).toEqual(['11-14', '11-15', '11-16']);
    expect(labels(days, 'week')).toEqual(['11-14', '11-15 to 11-16']);
  });

  it('add up to the same total in any unit', () => {
    const names = fc.constantFrom('a', 'b', '__idle__', '__proto__');
    const days = fc.array(fc.dictionary(names, fc.integer({ min: -1_000, max: 1_000 })), { maxLength: 70 });
    fc.assert(
      fc.property(days, fc.constantFrom<BarUnit>('hour', 'day', 'week', 'month'), (costs, unit) => {
        const bars = barsOf(sets('2026-10-20T00:00:00Z', costs), unit);
        for (const { name, values } of seriesOf(bars, 'total', 0)) {
          const sum = costs.reduce(
            (total, one) => total + (Object.hasOwn(one, name) ? (one[name] ?? 0) : 0),
            0,
          );
          expect(values.reduce((total, value) => total + value, 0)).toBe(sum);
        }
        for (const [at, { end }] of bars.entries()) expect(bars[at + 1]?.start ?? end).toBe(end);
      }),
    );
  });
});

describe('the rate of a bar', () => {
  const now = Date.parse('2026-11-16T06:00:00Z');
  const values = (rate: string, unit: BarUnit) =>
    seriesOf(barsOf(sets('2026-11-14T00:00:00Z', alike(4, 12)), unit), rate, now)[0]?.values;

  it('is computed over its elapsed hours', () => {
    expect(values('total', 'day')).toEqual([12, 12, 12, 12]);
    // Each day costs 12. At `now`, six hours of the third day have elapsed, so its rate is 12 / 6 * 24 = 48. The fourth
    // day has not begun.
    expect(values('day', 'day')).toEqual([12, 12, 48, 0]);
    expect(values('month', 'day')).toEqual([365, 365, 1_460, 0]);
    // The three days in the second week cost 36. At `now`, 30 hours of these days have elapsed.
    expect(values('day', 'week')).toEqual([12, (36 / 30) * 24]);
  });
});

describe('the unit of bars', () => {
  it('is weeks or months if chosen, or else that of the sets', () => {
    const days = sets('2026-11-14T00:00:00Z', alike(2));
    const hours = sets('2026-11-14T00:00:00Z', alike(2), hourMs);
    expect(unitOf(days, undefined)).toBe('day');
    expect(unitOf(hours, undefined)).toBe('hour');
    expect(unitOf(hours, 'week')).toBe('week');
    expect(unitOf(days, 'not a unit')).toBe('day');
    // The user has just chosen hours, but the sets still come from the previous answer, so each covers a day.
    expect(unitOf(days, 'hour')).toBe('day');
    expect(unitOf([], undefined)).toBe('day');
  });

  it('is described with the rate and the currency', () => {
    expect(aboutBars('day', 'total', 'USD')).toBe(
      'Costs in USD. Each bar covers one day; the table shows the total.',
    );
    expect(aboutBars('week', 'month', 'EUR')).toBe(
      'Costs in EUR per month of 730 hours, over elapsed hours. Each bar covers one week (from Sunday, cut off at the window), the table the window.',
    );
  });
});
