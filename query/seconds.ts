import type { Instant } from '../etl/instant';

/** Unix seconds, perhaps with a fraction. */
export function seconds({ seconds: whole, nanos }: Instant): number {
  return whole + nanos / 1e9;
}
