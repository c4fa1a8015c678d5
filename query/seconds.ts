import type { Instant } from '../etl/instant';

/** Converts an instant to unix seconds. Nanoseconds become the fractional part. */
export function seconds({ seconds: whole, nanos }: Instant): number {
  return whole + nanos / 1e9;
}
