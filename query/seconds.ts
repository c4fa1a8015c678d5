import type { Instant } from '../etl/instant';

/** Converts an instant to unix seconds. Nanoseconds become the fraction of the result. */
export function seconds({ seconds: whole, nanos }: Instant): number {
  return whole + nanos / 1e9;
}
