/**
 * A point in time as stored in a file. Two instants are equal if seconds and nanoseconds are; the zone is
 * for display only, and kept to write the same bytes again.
 */
export interface Instant {
  /** Whole seconds since 1970 (negative before it; Go's zero time is -62135596800). */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
  /** Offset of the zone in minutes, -1 for UTC. */
  readonly zoneMinutes: number;
  /** The seconds of the offset, in the 16-byte form; null in the 15-byte form. */
  readonly zoneSeconds: number | null;
}

/** Negative, 0 or positive if a is before, equal to or after b. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** The earlier one; the first if they are equal. */
export function earlier(a: Instant, b: Instant): Instant {
  return compareInstants(b, a) < 0 ? b : a;
}

/** The later one; the first if they are equal. */
export function later(a: Instant, b: Instant): Instant {
  return compareInstants(b, a) > 0 ? b : a;
}

/** The maximum of Go's time.Duration (2^63 - 1 ns) caps OpenCost's minutes, such as those since the zero time. */
const longestMinutes = 2 ** 63 / 6e10;

/** Minutes from start to end; negative if end is before start. */
export function minutesBetween(start: Instant, end: Instant): number {
  const minutes = (end.seconds - start.seconds + (end.nanos - start.nanos) / 1e9) / 60;
  return Math.min(longestMinutes, Math.max(-longestMinutes, minutes));
}

/** UTC in ISO 8601, with as many fractional digits as needed: `2026-11-14T00:00:00Z`. */
export function instantText(instant: Instant): string {
  const whole = new Date(instant.seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  const fraction = instant.nanos === 0 ? '' : `.${String(instant.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${whole}${fraction}Z`;
}
