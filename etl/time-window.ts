import { earlier, later } from './instant';
import type { TimeWindow } from './model';

/**
 * Expands `window` so that it covers `other` too. If `window` is open (null) at its start, the result starts when
 * `other` starts. If only `other` is open at its start, the result is open there. The same holds for the end. Returns
 * `window` itself if nothing changes.
 */
export function expandWindow(window: TimeWindow, other: TimeWindow): TimeWindow {
  const start =
    window.start && other.start ? earlier(window.start, other.start) : widened(window.start, other.start);
  const end = window.end && other.end ? later(window.end, other.end) : widened(window.end, other.end);
  return start === window.start && end === window.end ? window : { ...window, start, end };
}

/**
 * Returns the start or the end of the expanded window. Used only if at least one of the two windows is open (null)
 * there.
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
