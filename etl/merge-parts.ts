import type { ByteString } from './byte-string';
import { type Instant, minutesBetween } from './instant';

/*
 * Rules for single fields, shared by several structures.
 */

/** The sum. */
export function sum(a: number, b: number): number {
  return a + b;
}

/** The sum, with a missing side as 0; null if both are missing. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

/** The text if both sides have the same; otherwise empty. */
export function kept(a: ByteString, b: ByteString): ByteString {
  return a === b ? a : '';
}

/** The value of the first record met. */
export function first<T>(a: T): T {
  return a;
}

/** Null: the field has no meaning for a sum. */
export function dropped(): null {
  return null;
}

/** The minutes of two records, and of the time that they span together. */
export interface Minutes {
  readonly a: number;
  readonly b: number;
  readonly all: number;
}

/** The minutes of each record, and from the given start to the given end. */
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

/** The mean weighted by minutes; 0 if there are no minutes. */
export function mean(a: number, b: number, minutes: Minutes): number {
  return minutes.all > 0 ? (a * minutes.a + b * minutes.b) / minutes.all : 0;
}

/** The mean weighted by minutes, with a missing side as 0; null if both are missing or there are no minutes. */
export function meanOrNull(a: number | null, b: number | null, minutes: Minutes): number | null {
  return minutes.all > 0 && !(a === null && b === null) ? mean(a ?? 0, b ?? 0, minutes) : null;
}

/** The weighted mean of two values; 0 if the weights sum to 0. */
export function weighted(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}
