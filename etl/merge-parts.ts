import type { ByteString } from './byte-string';
import { type Instant, minutesBetween } from './instant';

/* Functions that combine the values of a field when two records are added. */

export function sum(a: number, b: number): number {
  return a + b;
}

/** Adds two numbers. A missing number (null) counts as 0. Returns null if both are missing. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

/** Returns `a` if both texts are equal, otherwise an empty string. */
export function kept(a: ByteString, b: ByteString): ByteString {
  return a === b ? a : '';
}

/** Returns the first value, which comes from the earlier input of the merge. */
export function first<T>(a: T): T {
  return a;
}

/** Returns null. Used for fields that make no sense in a sum. */
export function dropped(): null {
  return null;
}

/**
 * Durations in minutes. `a` and `b` are the durations of two records. `all` is the duration of the time span that
 * covers both records.
 */
export interface Minutes {
  readonly a: number;
  readonly b: number;
  readonly all: number;
}

/** Returns the durations of records `a` and `b` and of the time span from `start` to `end`, all in minutes. */
export function minutesOf(a: Timed, b: Timed, { start, end }: Timed): Minutes {
  return {
    a: minutesBetween(a.start, a.end),
    b: minutesBetween(b.start, b.end),
    all: minutesBetween(start, end),
  };
}

interface Timed {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * Averages a value of two records over the time span that covers both. Each value is weighted by the duration of its
 * record. Returns 0 if the time span is empty.
 */
export function mean(a: number, b: number, minutes: Minutes): number {
  return minutes.all > 0 ? (a * minutes.a + b * minutes.b) / minutes.all : 0;
}

/**
 * Averages two values like `mean`. A missing value (null) counts as 0. Returns null if both values are missing or the
 * time span is empty.
 */
export function meanOrNull(a: number | null, b: number | null, minutes: Minutes): number | null {
  return minutes.all > 0 && !(a === null && b === null) ? mean(a ?? 0, b ?? 0, minutes) : null;
}

/** Returns the weighted mean of two values, or 0 if the weights sum to 0. */
export function weighted(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}
