import type { ByteString } from './byte-string';
import { minutesBetween, type Instant } from './instant';

/*
 * The rules of single fields that several structures share.
 */

/** The sum. */
export function sum(a: number, b: number): number {
  return a + b;
}

/** The sum, where a missing side counts as 0 and both missing give null. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

/** A text that both sides have, else the empty one. */
export function kept(a: ByteString, b: ByteString): ByteString {
  return a === b ? a : '';
}

/** The value of the record that was met first, whatever the other has. */
export function first<T>(a: T): T {
  return a;
}

/** Null: the field says nothing of two records together. */
export function dropped(): null {
  return null;
}

/** The minutes of two records and of the time that both span. */
export interface Minutes {
  readonly a: number;
  readonly b: number;
  readonly all: number;
}

/** The minutes of two records: of each, and from the given start to the given end. */
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

/** The mean over the minutes of both; 0 when these are nothing. */
export function mean(a: number, b: number, minutes: Minutes): number {
  return minutes.all > 0 ? (a * minutes.a + b * minutes.b) / minutes.all : 0;
}

/** The mean over the minutes of both, a missing side as 0; null when both are missing or the minutes are nothing. */
export function meanOrNull(a: number | null, b: number | null, minutes: Minutes): number | null {
  return minutes.all > 0 && !(a === null && b === null) ? mean(a ?? 0, b ?? 0, minutes) : null;
}

/** The mean of two values by their weights; 0 where the weights sum to 0. */
export function weighted(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}
