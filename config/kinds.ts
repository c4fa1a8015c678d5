import { z } from 'zod';
import { parseResolution } from '../etl/window';
import { parseDuration } from './durations';

/**
 * Type of a setting's values. It defines how values are checked, and how the text of an environment variable is
 * converted.
 */
export interface Kind<T> {
  /** Accepted values, as text that completes the sentence "the setting takes …". */
  readonly takes: string;
  readonly schema: z.ZodType<T>;
  /**
   * Converts the text of an environment variable to a value for `schema`. Returns the text unchanged if that is not
   * possible.
   */
  fromText(text: string): unknown;
}

/** Any non-empty text. */
export const text: Kind<string> = {
  takes: 'a text (put numbers in quotes)',
  schema: z.string().min(1),
  fromText: (given) => given,
};

export const flag: Kind<boolean> = {
  takes: 'true or false',
  schema: z.boolean(),
  fromText: (given) => ({ true: true, false: false, '1': true, '0': false })[given.toLowerCase()] ?? given,
};

export const count: Kind<number> = {
  takes: 'a whole number of at least 1',
  schema: z.number().int().min(1),
  fromText: (given) => (/^\d+$/.test(given) ? Number(given) : given),
};

/** A part of a whole, such as `0.5` for a half. */
export const fraction: Kind<number> = {
  takes: 'a number from 0 to 1',
  schema: z.number().min(0).max(1),
  fromText: (given) => (/^\d*\.?\d+$/.test(given) ? Number(given) : given),
};

/** A duration, such as `5m`. The parsed value is in milliseconds. */
export const duration: Kind<number> = {
  takes: 'a number with a unit, such as 30s, 5m or 49h',
  schema: z.string().transform((given, context) => parseDuration(given) ?? refuse(context)),
  fromText: (given) => given,
};

/** An offset from UTC, such as `+02:00`. The parsed value is in seconds and is positive east of UTC. */
export const utcOffset: Kind<number> = {
  takes: 'an offset from UTC such as +02:00 or -05:30',
  schema: z.string().transform((given, context) => {
    const match = /^([+-])(\d\d):([0-5]\d)$/.exec(given);
    if (match === null || Number(match[2]) > 14) return refuse(context);
    return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 3_600 + Number(match[3]) * 60);
  }),
  fromText: (given) => given,
};

/**
 * A point in time, such as the cut-off date. The parsed value is always in the same format (RFC 3339 in UTC), so that
 * a different spelling of the same time does not count as a changed setting.
 */
export const moment: Kind<string> = {
  takes: 'a moment such as 2026-01-31T00:00:00Z (RFC 3339)',
  schema: z
    .union([z.iso.datetime({ offset: true }), z.iso.date()])
    .transform((given) => new Date(given).toISOString()),
  fromText: (given) => given,
};

export const texts: Kind<string[]> = {
  takes: 'a list of texts',
  schema: z.array(z.string().min(1)),
  fromText: splitList,
};

/** A duration for each resolution, such as `{1h: 49h}`. The parsed durations are in milliseconds. */
export const durations: Kind<Record<string, number>> = {
  takes: 'resolutions with a duration each, such as {1h: 49h}',
  schema: z.record(z.string(), z.string()).transform((given, context) => {
    const read = Object.entries(given).map(
      ([folder, span]) => [parseResolution(folder)?.name, parseDuration(span)] as const,
    );
    if (read.some(([resolution, span]) => resolution === undefined || span === undefined))
      return refuse(context);
    return Object.fromEntries(read) as Record<string, number>;
  }),
  fromText: (given) =>
    Object.fromEntries(
      splitList(given).map((entry) => entry.split('=').map((part) => part.trim())),
    ) as unknown,
};

/** Returns the type of a setting that accepts only the given words. */
export function choice<const Word extends string>(...words: Word[]): Kind<Word> {
  return { takes: `one of ${words.join(', ')}`, schema: z.enum(words), fromText: (given) => given };
}

function splitList(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom' });
  return z.NEVER;
}
