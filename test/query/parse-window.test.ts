import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { parseWindow } from '../../query/parse-window';
import { propertyRuns } from '../etl/run-counts';

const at = (time: string) => Date.parse(time) / 1000;
/** Current time in the tests: a Wednesday. */
const clock = { now: at('2026-11-18T10:17:42Z'), utcOffsetSeconds: 0 };

function spanOf(text: string, given = clock): [string, string] {
  const { start, end } = parseWindow(text, given);
  return [new Date(start * 1000).toISOString(), new Date(end * 1000).toISOString()];
}

function refusal(text: string | undefined): string {
  try {
    parseWindow(text, clock);
  } catch (error) {
    if (isFederationError(error, 'QUERY_INVALID')) {
      expect(error.subject).toEqual({ parameter: 'window' });
      return error.message;
    }
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('a window', () => {
  it.each([
    ['today', '2026-11-18T00:00:00.000Z', '2026-11-19T00:00:00.000Z'],
    ['yesterday', '2026-11-17T00:00:00.000Z', '2026-11-18T00:00:00.000Z'],
    ['week', '2026-11-15T00:00:00.000Z', '2026-11-18T10:17:42.000Z'],
    ['lastweek', '2026-11-08T00:00:00.000Z', '2026-11-15T00:00:00.000Z'],
    ['month', '2026-11-01T00:00:00.000Z', '2026-11-18T10:17:42.000Z'],
    ['lastmonth', '2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z'],
    ['30m', '2026-11-18T09:48:00.000Z', '2026-11-18T10:18:00.000Z'],
    ['6h', '2026-11-18T05:00:00.000Z', '2026-11-18T11:00:00.000Z'],
    ['1d', '2026-11-18T00:00:00.000Z', '2026-11-19T00:00:00.000Z'],
    ['7d', '2026-11-12T00:00:00.000Z', '2026-11-19T00:00:00.000Z'],
    ['2w', '2026-11-05T00:00:00.000Z', '2026-11-19T00:00:00.000Z'],
    ['2h offset 30m', '2026-11-18T07:47:42.000Z', '2026-11-18T09:47:42.000Z'],
    ['1d offset 1w', '2026-11-10T10:17:42.000Z', '2026-11-11T10:17:42.000Z'],
    ['1794614400,1794700800', '2026-11-14T00:00:00.000Z', '2026-11-15T00:00:00.000Z'],
    ['1794614400-1794700800', '2026-11-14T00:00:00.000Z', '2026-11-15T00:00:00.000Z'],
    ['2026-11-14T00:00:00Z,2026-11-14T23:59:59Z', '2026-11-14T00:00:00.000Z', '2026-11-14T23:59:59.000Z'],
    [
      '2026-11-14T02:00:00+02:00,2026-11-14T20:00:00-04:00',
      '2026-11-14T00:00:00.000Z',
      '2026-11-15T00:00:00.000Z',
    ],
    [
      '2026-11-14T00:00:00.000Z,2026-11-15T00:00:00.000Z',
      '2026-11-14T00:00:00.000Z',
      '2026-11-15T00:00:00.000Z',
    ],
    [' 7d ', '2026-11-12T00:00:00.000Z', '2026-11-19T00:00:00.000Z'],
  ])('%j', (text, start, end) => {
    expect(spanOf(text)).toEqual([start, end]);
  });

  it.each([
    ['today', '2026-11-18T22:00:00.000Z', '2026-11-19T22:00:00.000Z'],
    ['7d', '2026-11-12T22:00:00.000Z', '2026-11-19T22:00:00.000Z'],
    ['week', '2026-11-14T22:00:00.000Z', '2026-11-18T23:30:00.000Z'],
    ['lastmonth', '2026-09-30T22:00:00.000Z', '2026-10-31T22:00:00.000Z'],
    ['1h', '2026-11-18T23:00:00.000Z', '2026-11-19T00:00:00.000Z'],
  ])('%s has days at the UTC offset, but hours of UTC', (text, start, end) => {
    const east = { now: at('2026-11-18T23:30:00Z'), utcOffsetSeconds: 7_200 };
    expect(spanOf(text, east)).toEqual([start, end]);
  });

  it('of the last month in January is December', () => {
    const january = { now: at('2027-01-05T00:00:00Z'), utcOffsetSeconds: 0 };
    expect(spanOf('lastmonth', january)).toEqual(['2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
  });

  it('of a week may begin today, on a Sunday', () => {
    const sunday = { now: at('2026-11-15T00:01:00Z'), utcOffsetSeconds: 0 };
    expect(spanOf('week', sunday)).toEqual(['2026-11-15T00:00:00.000Z', '2026-11-15T00:01:00.000Z']);
    expect(spanOf('lastweek', sunday)).toEqual(['2026-11-08T00:00:00.000Z', '2026-11-15T00:00:00.000Z']);
  });

  it.each([
    undefined,
    '',
    '  ',
    'foo',
    'Today',
    '7',
    'd',
    '7y',
    '-7d',
    '1.5h',
    '7d offset',
    '0d',
    '0h offset 1h',
    '1794614400',
    '1794614400,',
    ',1794614400',
    '1794700800,1794614400',
    '1794614400,1794614400',
    '-5,10',
    '1794614400000,1794700800000',
    '99999999999999999999,999999999999999999999',
    '2026-11-14,2026-11-15',
    '2026-11-14T00:00Z,2026-11-15T00:00Z',
    '2026-11-14T00:00:00Z',
    '2026-11-14T00:00:00Z,',
    '2026-11-15T00:00:00Z,2026-11-14T00:00:00Z',
    '2026-11-14T00:00:00Z,2026-11-14T00:00:00Z',
    '2026-13-14T00:00:00Z,2027-11-14T00:00:00Z',
    '1969-12-31T00:00:00Z,1970-01-02T00:00:00Z',
    '999999999w',
    '7d\u0000',
    '７d',
  ])('is refused: %j', (text) => {
    expect(refusal(text)).toMatch(/^Invalid 'window' parameter: /);
  });

  it.each([
    [
      '2026-11-14,2026-11-16',
      '2026-11-14T00:00:00Z,2026-11-16T00:00:00Z is without it, 2026-11-14T00:00:00Z,2026-11-17T00:00:00Z is with it.',
    ],
    ['2026-11-14 , 2026-11-14', ': 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z is with it.'],
  ])('of bare dates is refused with both readings: %s', (text, readings) => {
    expect(refusal(text)).toContain(`${JSON.stringify(text)} does not say whether its last day counts`);
    expect(refusal(text)).toContain(readings);
    for (const [reading] of readings.matchAll(/\S+Z,\S+Z/g))
      expect(spanOf(reading)[0]).toContain('2026-11-14T');
  });

  it('of bare dates is read with days at the UTC offset', () => {
    const east = { ...clock, utcOffsetSeconds: 7_200 };
    expect(() => parseWindow('2026-11-14,2026-11-15', east)).toThrow(
      '2026-11-13T22:00:00Z,2026-11-14T22:00:00Z is without it, 2026-11-13T22:00:00Z,2026-11-15T22:00:00Z is with it.',
    );
  });

  it.each([
    '2026-11-16,2026-11-14',
    '2026-02-30,2026-03-01',
    '2026-11-14,9999-12-31',
    '0000-01-01,2026-01-01',
  ])('of invalid bare dates is refused without readings: %s', (text) => {
    expect(refusal(text)).not.toMatch(/is with it/);
  });

  it('of a week or month that begins at this minute is a minute long', () => {
    const first = { now: at('2026-11-01T00:00:00Z'), utcOffsetSeconds: 0 };
    for (const text of ['week', 'month']) {
      expect(spanOf(text, first)).toEqual(['2026-11-01T00:00:00.000Z', '2026-11-01T00:01:00.000Z']);
    }
  });

  it('has whole seconds', () => {
    const { start, end } = parseWindow('2026-11-14T00:00:00.5Z,2026-11-14T23:59:59.999Z', clock);
    expect([start, end]).toEqual([at('2026-11-14T00:00:00Z'), at('2026-11-15T00:00:00Z')]);
    refusal('2026-11-14T00:00:00.5Z,2026-11-14T00:00:00.5Z');
  });

  it('may be centuries long', () => {
    expect(spanOf('2026-11-14T00:00:00Z,2400-01-01T00:00:00Z')[1]).toBe('2400-01-01T00:00:00.000Z');
    expect(refusal('2026-11-14T00:00:00Z,9001-01-01T00:00:00Z')).toContain('out of range');
  });

  it.each(['2026-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '2026-11-31T00:00:00Z', '2026-11-14T24:00:00Z'])(
    'is refused for a day or hour that does not exist: %s',
    (time) => {
      refusal(`2026-01-01T00:00:00Z,${time}`);
      refusal(`${time},2027-01-01T00:00:00Z`);
    },
  );

  it('that is refused is quoted, truncated', () => {
    expect(refusal('foo')).toContain('"foo"');
    const message = refusal('x'.repeat(100_000));
    expect(message).toContain(`"${'x'.repeat(100)}"`);
    expect(message.length).toBeLessThan(300);
  });

  it('starts before it ends, or is refused', () => {
    const word = fc.constantFrom('today', 'yesterday', 'lastweek', 'lastmonth', 'week', 'month', 'foo');
    const count = fc.integer({ min: 0, max: 2_000 });
    const unit = fc.constantFrom('m', 'h', 'd', 'w', 'y');
    const duration = fc.tuple(count, unit).map(([length, of]) => `${length}${of}`);
    const offset = fc.tuple(duration, duration).map(([length, back]) => `${length} offset ${back}`);
    const seconds = fc.tuple(fc.nat(4_000_000_000), fc.nat(4_000_000_000)).map((pair) => pair.join(','));
    const dates = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
    const times = fc.tuple(dates, dates).map((pair) => pair.map((date) => date.toISOString()).join(','));
    fc.assert(
      fc.property(
        fc.oneof(word, duration, offset, seconds, times, fc.string({ unit: 'binary' })),
        fc.integer({ min: 86_400 * 60, max: 4_000_000_000 }),
        fc.integer({ min: -14 * 3_600, max: 14 * 3_600 }),
        (text, now, utcOffsetSeconds) => {
          try {
            const { start, end } = parseWindow(text, { now, utcOffsetSeconds });
            expect(start).toBeLessThan(end);
            expect(start).toBeGreaterThanOrEqual(0);
          } catch (error) {
            if (!isFederationError(error, 'QUERY_INVALID')) throw error;
          }
        },
      ),
      propertyRuns(500, 20_000),
    );
  });
});
