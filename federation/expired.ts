import { ownValue } from '../etl/own-value';
import type { WindowRef } from '../etl/window';
import type { Scope } from './membership';

/**
 * Returns whether a window is older than the retention for its resolution, counted from the window's end. If there is
 * no retention for the resolution, returns false. `now` is in unix seconds.
 */
export function isExpired(ref: WindowRef, { retention }: Scope, now: number): boolean {
  const kept = ownValue(retention, ref.resolution);
  return kept !== undefined && ref.window.end <= now - kept;
}
