import type { ByteString } from './byte-string';
import { type Instant, minutesBetween } from './instant';

/* Rules for adding single fields. Several structures use them. */

export function sum(a: number, b: number): number {
  return a + b;
}

/** Adds two numbers, with 0 in place of a missing one. Returns null if both are missing. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

/** Returns the text if it is the same on both sides, otherwise an empty string. */
export function kept(a: ByteString, b: ByteString): ByteString {
  return a === b ? a : '';
}

/** Returns the value from the record that was met first. */
export function first<T>(a: T): T {
  return a;
}

/** Returns null. For fields that make no sense in a sum. */
export function dropped(): null {
  return null;
}

/** Minutes that each of two records lasts (`a`, `b`), and that the time they span together lasts (`all`). */
export interface Minutes {
  readonly a: number;
  readonly b: number;
  readonly all: number;
}

/** Returns how many minutes two records last. `start` and `end` are those of the time that they span together. */
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
 * Averages two values over the time that their records span together. Each value is weighted by its record's minutes.
 * Returns 0 if the time span has no minutes.
 */
export function mean(a: number, b: number, minutes: Minutes): number {
  return minutes.all > 0 ? (a * minutes.a + b * minutes.b) / minutes.all : 0;
}

/**
 * Does the same as `mean`, with 0 in place of a missing value. Returns null if both values are missing or the time span
 * has no minutes.
 */
export function meanOrNull(a: number | null, b: number | null, minutes: Minutes): number | null {
  return minutes.all > 0 && !(a === null && b === null) ? mean(a ?? 0, b ?? 0, minutes) : null;
}

/** Returns the weighted mean of two values, or 0 if the weights sum to 0. */
export function weighted(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}
