import type { WindowRef } from '../etl/window';
import type { Scope } from './membership';

/** Whether a window ended longer ago than the retention of its resolution allows. `now` is in unix seconds. */
export function isExpired(ref: WindowRef, { retention }: Scope, now: number): boolean {
  const kept = retention?.[ref.resolution];
  return kept !== undefined && ref.window.end <= now - kept;
}
