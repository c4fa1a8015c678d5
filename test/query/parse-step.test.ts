import { isFederationError } from '../../errors/federation-error';
import { parseAccumulation, parseStep } from '../../query/parse-step';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isFederationError(error, 'QUERY_INVALID')) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a step', () => {
  it.each([
    ['30m', 1_800],
    ['1h', 3_600],
    ['1d', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
    ['90s', 90],
    ['hour', 3_600],
    ['day', 86_400],
    ['week', 604_800],
    [' 1h ', 3_600],
  ])('%j is %d seconds', (text, seconds) => {
    expect(parseStep(text)).toEqual({ seconds });
  });

  it.each(['month', 'quarter'])('%s is a calendar period', (text) => {
    expect(parseStep(text)).toBe(text);
  });

  it.each([undefined, '', ' '])('is undefined: %j', (text) => {
    expect(parseStep(text)).toBeUndefined();
  });

  it.each([
    '0h',
    '0d',
    '-1h',
    '1.5h',
    '1',
    'h',
    '1y',
    '1H',
    'Day',
    'year',
    '1h30m',
    '99999999h',
    'constructor',
    '__proto__',
    '1h\u0000',
    '\u{1F389}',
  ])('is refused: %j', (text) => {
    expect(refusal(() => parseStep(text))).toMatch(/^Invalid 'step' parameter: /);
  });

  it('is at most a hundred years', () => {
    expect(parseStep('36600d')).toEqual({ seconds: 36_600 * 86_400 });
    expect(refusal(() => parseStep('36601d'))).toContain('longer than a hundred years');
    expect(refusal(() => parseStep('9999999w'))).toContain('longer than a hundred years');
  });

  it('that is refused is quoted, truncated', () => {
    expect(refusal(() => parseStep('foo'))).toContain('"foo"');
    expect(refusal(() => parseStep('9'.repeat(50_000))).length).toBeLessThan(300);
  });
});

describe('an accumulation', () => {
  it.each([
    ['true', 'all'],
    ['1', 'all'],
    ['t', 'all'],
    ['T', 'all'],
    ['TRUE', 'all'],
    ['True', 'all'],
    ['all', 'all'],
    ['hour', 'hour'],
    ['day', 'day'],
    ['week', 'week'],
    ['month', 'month'],
    ['quarter', 'quarter'],
    ['weeknow', 'weeknow'],
    ['false', 'none'],
    ['0', 'none'],
    ['f', 'none'],
    ['F', 'none'],
    ['FALSE', 'none'],
    ['False', 'none'],
    ['', 'none'],
    [undefined, 'none'],
    [' day ', 'day'],
  ] as const)('%j is %s', (text, meant) => {
    expect(parseAccumulation(text, undefined)).toBe(meant);
    expect(parseAccumulation('quarter', text)).toBe(text === undefined || text === '' ? 'quarter' : meant);
  });

  it('is that of accumulateBy if given, which may be none', () => {
    expect(parseAccumulation('true', 'none')).toBe('none');
    expect(parseAccumulation('day', 'week')).toBe('week');
    expect(parseAccumulation('nonsense', 'week')).toBe('week');
  });

  it.each(['foo', 'Day', 'year', 'days', '2', 'yes', 'constructor'])('is refused: %j', (text) => {
    expect(refusal(() => parseAccumulation(text, undefined))).toContain(
      `Invalid 'accumulate' parameter: "${text}"`,
    );
    expect(refusal(() => parseAccumulation('day', text))).toContain(
      `Invalid 'accumulateBy' parameter: "${text}"`,
    );
  });
});
