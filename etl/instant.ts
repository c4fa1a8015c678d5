/**
 * A point in time as it is stored in a file. Two instants are equal if their seconds and nanoseconds are equal. The
 * time zone is kept only so that the instant can be written back as the same bytes.
 */
export interface Instant {
  /** Whole seconds since 1970; negative for times before 1970. Go's zero time is -62135596800. */
  readonly seconds: number;
  /** Nanoseconds within the second, 0 to 999,999,999. */
  readonly nanos: number;
  /** Offset of the time zone from UTC, in minutes. -1 means UTC, as in Go. */
  readonly zoneMinutes: number;
  /**
   * Remainder of the zone's offset beyond `zoneMinutes`, in seconds. Null if the time was stored in the 15-byte form,
   * which has no such remainder.
   */
  readonly zoneSeconds: number | null;
}

/** Returns a negative number if `a` is before `b`, 0 if they are equal, and a positive number if `a` is after `b`. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** Returns the earlier of two instants, or `a` if they are equal. */
export function earlier(a: Instant, b: Instant): Instant {
  return compareInstants(b, a) < 0 ? b : a;
}

/** Returns the later of two instants, or `a` if they are equal. */
export function later(a: Instant, b: Instant): Instant {
  return compareInstants(b, a) > 0 ? b : a;
}

/**
 * Maximum duration, in minutes. OpenCost computes minutes from Go's time.Duration, whose maximum is 2^63 - 1
 * nanoseconds. A longer duration, such as the time since Go's zero time, is capped.
 */
const longestMinutes = 2 ** 63 / 6e10;

/** Returns the minutes from `start` to `end`. Negative if the end is before the start. */
export function minutesBetween(start: Instant, end: Instant): number {
  const minutes = (end.seconds - start.seconds + (end.nanos - start.nanos) / 1e9) / 60;
  return Math.min(longestMinutes, Math.max(-longestMinutes, minutes));
}

/** Formats an instant in UTC as ISO 8601, with as many fractional digits as needed: `2026-11-14T00:00:00Z`. */
export function instantText(instant: Instant): string {
  const whole = new Date(instant.seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  const fraction = instant.nanos === 0 ? '' : `.${String(instant.nanos).padStart(9, '0').replace(/0+$/, '')}`;
  return `${whole}${fraction}Z`;
}
