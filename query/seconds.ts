import type { Instant } from '../etl/instant';

/** Converts an instant to unix seconds, with a fraction if it has one. */
export function seconds({ seconds: whole, nanos }: Instant): number {
  return whole + nanos / 1e9;
}
