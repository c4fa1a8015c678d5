import { earlier, later } from './instant';
import type { TimeWindow } from './model';

/**
 * Expands `window` so that it covers `other` too. Exception: if either of the two starts is open (null), the result has
 * the start of `other`. The same applies to the ends. Returns `window` itself if nothing changes.
 */
export function expandWindow(window: TimeWindow, other: TimeWindow): TimeWindow {
  const start =
    window.start && other.start ? earlier(window.start, other.start) : widened(window.start, other.start);
  const end = window.end && other.end ? later(window.end, other.end) : widened(window.end, other.end);
  return start === window.start && end === window.end ? window : { ...window, start, end };
}

/**
 * Returns the start of the expanded window. `own` and `other` are the starts of the two windows, and at least one of
 * them must be open (null). Given the two ends instead, returns the end.
 */
function widened<T>(own: T | null, other: T | null): T | null {
  return own === null ? other : null;
}

/**
 * Returns the window from the earliest start to the latest end. It is open (null) on a side only if all given windows
 * are open on that side.
 */
export function spanOf(windows: readonly TimeWindow[]): TimeWindow {
  const starts = windows.map((window) => window.start).filter((start) => start !== null);
  const ends = windows.map((window) => window.end).filter((end) => end !== null);
  return {
    version: Math.max(...windows.map((window) => window.version)),
    start: starts.length === 0 ? null : starts.reduce(earlier),
    end: ends.length === 0 ? null : ends.reduce(later),
  };
}
