import { earlier, later } from './instant';
import type { TimeWindow } from './model';

/**
 * Expands a window to the earlier start and the later end. An open side of `other` makes that side open; an
 * open side of `window` takes the other's. Returns the same object if nothing changes.
 */
export function expandWindow(window: TimeWindow, other: TimeWindow): TimeWindow {
  const start =
    window.start && other.start ? earlier(window.start, other.start) : widened(window.start, other.start);
  const end = window.end && other.end ? later(window.end, other.end) : widened(window.end, other.end);
  return start === window.start && end === window.end ? window : { ...window, start, end };
}

/** For two sides of which at least one is open. */
function widened<T>(own: T | null, other: T | null): T | null {
  return own === null ? other : null;
}

/** The earliest start to the latest end; open sides are ignored unless all are open. */
export function spanOf(windows: readonly TimeWindow[]): TimeWindow {
  const starts = windows.map((window) => window.start).filter((start) => start !== null);
  const ends = windows.map((window) => window.end).filter((end) => end !== null);
  return {
    version: Math.max(...windows.map((window) => window.version)),
    start: starts.length === 0 ? null : starts.reduce(earlier),
    end: ends.length === 0 ? null : ends.reduce(later),
  };
}
