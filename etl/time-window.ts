import { earlier, later } from './instant';
import type { TimeWindow } from './model';

/**
 * Expands `window` to the earlier start and the later end. If one side of `window` is open (null), the result has that
 * side of `other`. If only `other` is open on a side, the result is open on it. Returns `window` itself if nothing
 * changes.
 */
export function expandWindow(window: TimeWindow, other: TimeWindow): TimeWindow {
  const start =
    window.start && other.start ? earlier(window.start, other.start) : widened(window.start, other.start);
  const end = window.end && other.end ? later(window.end, other.end) : widened(window.end, other.end);
  return start === window.start && end === window.end ? window : { ...window, start, end };
}

/** Returns one side of the expanded window. Only for a side on which at least one of the two windows is open. */
function widened<T>(own: T | null, other: T | null): T | null {
  return own === null ? other : null;
}

/** Returns the window from the earliest start to the latest end. A side is open only if all windows are open on it. */
export function spanOf(windows: readonly TimeWindow[]): TimeWindow {
  const starts = windows.map((window) => window.start).filter((start) => start !== null);
  const ends = windows.map((window) => window.end).filter((end) => end !== null);
  return {
    version: Math.max(...windows.map((window) => window.version)),
    start: starts.length === 0 ? null : starts.reduce(earlier),
    end: ends.length === 0 ? null : ends.reduce(later),
  };
}
