import { ownValue } from '../etl/own-value';
import { invalid } from './invalid';
import { type Accumulation, accumulations } from './request';

const hour = 3_600;
const day = 24 * hour;
const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: hour, d: day, w: 7 * day };
const words: Readonly<Record<string, number>> = { hour, day, week: 7 * day };
/**
 * Maximum length of a step, in seconds: a hundred years of 366 days. With longer steps, times could reach the year
 * 10000, which RFC 3339 cannot express.
 */
const longest = 36_600 * day;

/**
 * A parsed step: a length in seconds, or a calendar month or quarter. Data for a month or quarter is merged from daily
 * data.
 */
export type ParsedStep = { readonly seconds: number } | 'month' | 'quarter';

/**
 * Parses a step, which is a duration such as `1h` or a word such as `day`. Returns undefined if there is no step.
 * Throws QUERY_INVALID for any other text, and for a step longer than a hundred years.
 */
export function parseStep(text: string | undefined): ParsedStep | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const given = text.trim();
  if (given === 'month' || given === 'quarter') return given;
  const match = /^(\d{1,7})([smhdw])$/.exec(given);
  const seconds =
    ownValue(words, given) ??
    (match === null ? 0 : Number(match[1]) * (ownValue(units, match[2] ?? '') ?? 0));
  if (seconds > longest) throw invalid('step', given, 'is longer than a hundred years.');
  if (seconds > 0) return { seconds };
  throw invalid('step', given, 'is not a step; it takes 1h, 1d, 7d, hour, day, week, month or quarter.');
}

const all = new Set(['true', '1', 't', 'T', 'True', 'TRUE', 'all']);
const none = new Set(['false', '0', 'f', 'F', 'False', 'FALSE', 'none', '']);

/**
 * Parses the periods into which result sets are merged. `accumulateBy` takes precedence over `accumulate`. The default
 * is `none`. Throws QUERY_INVALID for an unknown word.
 */
export function parseAccumulation(
  accumulate: string | undefined,
  accumulateBy: string | undefined,
): Accumulation {
  const [parameter, given] =
    accumulateBy === undefined || accumulateBy === ''
      ? ['accumulate', (accumulate ?? '').trim()]
      : ['accumulateBy', accumulateBy.trim()];
  if (all.has(given)) return 'all';
  if (none.has(given)) return 'none';
  const known = accumulations.find((word) => word === given);
  if (known !== undefined) return known;
  throw invalid(
    parameter,
    given,
    `is not one of true, false, ${accumulations.filter((word) => word !== 'none' && word !== 'all').join(', ')}.`,
  );
}
