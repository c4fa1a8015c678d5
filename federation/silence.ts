import { parseResolution, parseWindowId, type WindowRef } from '../etl/window';
import type { ListedFile } from './candidates';

/**
 * This file decides whether a cluster has gone silent. It uses only the times at which the files in the cluster's
 * folder were written. So every process that reads the bucket gets the same result, even after a restart.
 */

/** Whether a cluster pushes as usual, and when it last pushed. */
export interface Silence {
  /**
   * - `on-time`: the cluster pushes as often as usual.
   * - `late`: it has not pushed for at least three hours and three times its usual interval. Once it pushes again, it
   *   remains late until its pushes are regular.
   * - `gone`: it has not pushed for two days, or longer if it usually pushes rarely (see `goneAfter`). A cluster that a
   *   generation includes, but that has no files at all, is gone, too.
   * - `not-expected`: it is not expected to push, because it is excluded or removed, was stopped on purpose, or has not
   *   begun to push.
   */
  readonly state: 'on-time' | 'late' | 'gone' | 'not-expected';
  /** Time of the last push, by the store's clock, in milliseconds since 1970. Undefined if there are no files. */
  readonly lastSeen?: number;
  /** The usual interval between two pushes, in milliseconds. */
  readonly usual: number;
  /** True if there were too few pushes to measure the usual interval, so that it is only a guess. */
  readonly guessed: boolean;
  /** Set if the cluster is late only because it has just come back: the time of its first push after the silence. */
  readonly back?: number;
}

/** What is known about a cluster whose silence is judged. */
export interface SilenceInput {
  /** As in `ClusterSummary`: `not yet` is a cluster that no generation has included so far. */
  readonly membership: 'in' | 'excluded' | 'removed' | 'not yet';
  /** Whether somebody stopped the pushes of the cluster on purpose. */
  readonly stopped: boolean;
  /** The files in the cluster's folder, in any order. It is enough to list those of the last weeks. */
  readonly files: readonly Pick<ListedFile, 'window' | 'modified'>[];
  /** The current time, in milliseconds since 1970. */
  readonly now: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Maximum difference by which the store's clock may be ahead, in milliseconds. Files with times further in the future
 * are ignored.
 */
const clockDifference = hour;
/** Files that were written within this time of each other belong to the same push, in milliseconds. */
const samePush = 5 * minute;
/** The span before the last push from which the usual interval is measured, in milliseconds. */
const measuredOver = 14 * day;
/** Number of intervals that are needed to measure the usual one. */
const fewestIntervals = 4;
/**
 * This fraction of all intervals is at most as long as the usual interval. The fraction is high for the sake of
 * clusters that run only eight hours a day: their nights must count as usual.
 */
const usualFraction = 0.9;

/** Judges whether a cluster has gone silent. */
export function judgeSilence({ membership, stopped, files, now }: SilenceInput): Silence {
  const pushes = pushTimes(files, now + clockDifference);
  const [lastSeen] = pushes;
  const measured = measureInterval(pushes);
  const usual = measured ?? guessInterval(files);
  const facts = {
    usual,
    guessed: measured === undefined,
    ...(lastSeen !== undefined && { lastSeen }),
  };
  const expected = !stopped && (membership === 'in' || (membership === 'not yet' && lastSeen !== undefined));
  if (!expected) return { state: 'not-expected', ...facts };
  if (lastSeen === undefined || now - lastSeen > goneAfter(usual)) return { state: 'gone', ...facts };
  if (now - lastSeen > lateAfter(usual)) return { state: 'late', ...facts };
  const back = backSince(pushes, usual);
  return back === undefined ? { state: 'on-time', ...facts } : { state: 'late', ...facts, back };
}

/** Returns the time without a push, in milliseconds, after which a cluster with this usual interval is late. */
export function lateAfter(usual: number): number {
  return Math.max(3 * usual, 3 * hour);
}

/**
 * Returns the time without a push, in milliseconds, after which a cluster with this usual interval is gone. It is long
 * enough that a cluster is always late before it is gone.
 */
export function goneAfter(usual: number): number {
  return Math.max(2 * day, lateAfter(usual) + usual);
}

/**
 * Counts a cluster's missing windows. These lie after the cluster's first window, have no file, and ended so long ago
 * that the cluster is late with them. `refs` are windows of one pipeline and resolution.
 */
export function countMissing(refs: readonly WindowRef[], usual: number, now: number): number {
  const seconds = parseResolution(refs[0]?.resolution ?? '')?.seconds;
  if (seconds === undefined) return 0;
  const due = (now - lateAfter(usual)) / 1_000;
  const starts = new Set(refs.flatMap(({ window }) => (window.end <= due ? [window.start] : [])));
  const first = refs.reduce((earliest, { window }) => Math.min(earliest, window.start), Infinity);
  return Math.max(0, Math.floor((due - first) / seconds) - starts.size);
}

/**
 * Returns the times of the pushes, from newest to oldest. Files written at almost the same time count as one push.
 * Ignores files written after `latest`.
 */
function pushTimes(files: SilenceInput['files'], latest: number): number[] {
  const times = files.flatMap(({ modified }) => (modified <= latest ? [modified] : [])).sort((a, b) => b - a);
  return times.filter((time, index) => index === 0 || (times[index - 1] ?? time) - time > samePush);
}

/** Returns the usual interval between pushes. Returns undefined if there were too few of them. */
function measureInterval(pushes: readonly number[]): number | undefined {
  const intervals = intervalsOf(pushes).sort((a, b) => a - b);
  if (intervals.length < fewestIntervals) return undefined;
  return intervals[Math.floor(usualFraction * (intervals.length - 1))];
}

/** Returns the intervals between recent pushes, from newest to oldest. */
function intervalsOf(pushes: readonly number[]): number[] {
  const [newest = 0] = pushes;
  return pushes.slice(1).flatMap((push, index) => {
    return newest - push > measuredOver ? [] : [(pushes[index] ?? push) - push];
  });
}

/** Guesses the usual interval: the duration of the shortest windows, because the cluster pushes each new window. */
function guessInterval(files: SilenceInput['files']): number {
  const resolutions = new Set(files.map(({ window }) => parseWindowId(window)?.resolution ?? ''));
  const lengths = [...resolutions].flatMap((resolution) => parseResolution(resolution)?.seconds ?? []);
  return lengths.length === 0 ? hour : Math.min(...lengths) * 1_000;
}

/**
 * Returns the time of the first push after the last silence. Returns undefined if there was no silence, or if it is
 * over. One push does not end a silence: the cluster must go on pushing for its usual interval, and for at least an
 * hour. Otherwise a cluster that keeps failing would cause an alert each time.
 */
function backSince(pushes: readonly number[], usual: number): number | undefined {
  const [newest = 0] = pushes;
  const last = intervalsOf(pushes).findIndex((interval) => interval > lateAfter(usual));
  const back = pushes[last];
  return back === undefined || newest - back >= Math.max(usual, hour) ? undefined : back;
}
