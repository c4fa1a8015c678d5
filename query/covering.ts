import type { Pipeline } from '../etl/window';
import type { Catalog, ServedFile } from './catalog';
import { joinPeaks, type Peaks } from './peaks';
import type { Span } from './span';

/** A window file that a query reads for one cluster in one time step. */
export interface Pick {
  /** Index of the time step among the time steps of the query. */
  readonly step: number;
  readonly file: number;
  readonly cluster: number;
}

/** The window files that a query reads. */
export interface Covering {
  readonly picks: readonly Pick[];
  /**
   * Window files that extend beyond the time step in which they are counted. All of their data is counted in this step.
   */
  readonly snapped: readonly ServedFile[];
  /**
   * For each cluster (by id), the number of seconds without data in the window of the query. Time after `now` is not
   * counted.
   */
  readonly uncovered: ReadonlyMap<number, number>;
}

/**
 * Chooses the window files to read for each time step and cluster. Files with longer windows are preferred: daily files
 * within a time step, hourly files at its edges. A window may be only partly within a time step. If no file with a
 * shorter window covers this part, the whole file is counted in the first time step that the window overlaps. No time
 * is counted twice, and no file is used in two time steps.
 */
export function cover(catalog: Catalog, pipeline: Pipeline, steps: readonly Span[], now: number): Covering {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return { picks: [], snapped: [], uncovered: new Map() };
  const inside = catalog.files.filter(
    (file) => file.pipeline === pipeline && file.start < last.end && file.end > first.start,
  );
  // Most clusters have data in the same files. So choose the files only once for all clusters that have the same list
  // of files.
  const byFiles = new Map<string, { readonly files: ServedFile[]; readonly clusters: number[] }>();
  for (const cluster of catalog.clusters.keys()) {
    const files = inside.filter(({ records }) => records.has(cluster));
    const key = files.map(({ id }) => id).join();
    const alike = byFiles.get(key) ?? { files, clusters: [] };
    alike.clusters.push(cluster);
    byFiles.set(key, alike);
  }
  const picks: Pick[] = [];
  const snapped = new Set<ServedFile>();
  const uncovered = new Map<number, number>();
  const past = { start: first.start, end: Math.min(last.end, now) };
  for (const { files, clusters } of byFiles.values()) {
    const taken = take(files, steps);
    for (const { step, file } of taken) {
      for (const cluster of clusters) picks.push({ step, file: file.id, cluster });
      const span = steps[step];
      if (span !== undefined && (file.start < span.start || file.end > span.end)) snapped.add(file);
    }
    const covered = taken.reduce((sum, { file }) => sum + overlap(file, past), 0);
    for (const cluster of clusters) uncovered.set(cluster, Math.max(0, past.end - past.start - covered));
  }
  return { picks, snapped: [...snapped], uncovered };
}

/** Returns the largest absolute value of each column in the window files that a query reads. */
export function peaksOf({ files }: Catalog, { picks }: { readonly picks: readonly Pick[] }): Peaks {
  const picked = new Set(picks.map(({ file }) => file));
  return joinPeaks(files.filter(({ id }) => picked.has(id)).map(({ peaks }) => peaks));
}

function take(files: readonly ServedFile[], steps: readonly Span[]): { step: number; file: ServedFile }[] {
  const taken: { step: number; file: ServedFile }[] = [];
  const free = (file: ServedFile) => taken.every(({ file: other }) => overlap(file, other) === 0);
  const length = ({ start, end }: Span) => end - start;
  const coarseFirst = [...files].sort((a, b) => length(b) - length(a) || a.start - b.start);
  for (const file of coarseFirst) {
    const step = stepAt(steps, file.start);
    const span = steps[step];
    if (span !== undefined && file.start >= span.start && file.end <= span.end && free(file))
      taken.push({ step, file });
  }
  for (const file of coarseFirst.reverse()) {
    const step = steps.findIndex((span) => overlap(span, file) > 0);
    if (step >= 0 && free(file)) taken.push({ step, file });
  }
  return taken;
}

/** Returns the index of the last time step that starts at or before a moment, or -1 if there is none. */
function stepAt(steps: readonly Span[], moment: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.start ?? Infinity) <= moment) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns the number of seconds by which two spans overlap. */
export function overlap(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
}
