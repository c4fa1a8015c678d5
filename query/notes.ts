import type { Pipeline } from '../etl/window';
import type { Catalog, ServedFile } from './catalog';
import type { Covering } from './covering';
import type { Span } from './span';

/** Returns warnings about missing and suspicious data that affects a query result. Each warning is one sentence. */
export function describeData(
  catalog: Catalog,
  pipeline: Pipeline,
  covering: Covering,
  { window, now }: { readonly window: Span; readonly now: number },
): string[] {
  return [
    ...describeSnapped(covering.snapped),
    ...describeMissing(catalog, pipeline, covering, window, now),
    ...describeExcluded(catalog),
    ...describeNotFinite(catalog, covering),
    ...describeDisagreements(catalog, pipeline, covering, now),
  ];
}

/** Warns about window files that were counted as a whole, although the query asked for only a part. */
function describeSnapped(snapped: readonly ServedFile[]): string[] {
  const [first] = [...snapped].sort((a, b) => a.start - b.start || b.end - a.end);
  if (first === undefined) return [];
  const others = snapped.length > 1 ? ` and ${snapped.length - 1} more` : '';
  return [
    `No finer data is held, so ${spanText(first)}${others} ${snapped.length > 1 ? 'were' : 'was'} counted whole, though a part was asked for.`,
  ];
}

/** Warns about times without data, either from all clusters or from some of them. */
function describeMissing(
  catalog: Catalog,
  pipeline: Pipeline,
  { uncovered }: Covering,
  window: Span,
  now: number,
): string[] {
  const held = catalog.files.filter((file) => file.pipeline === pipeline);
  if (held.length === 0) return [`No ${pipeline} are held.`];
  const from = Math.min(...held.map(({ start }) => start));
  const to = Math.max(...held.map(({ end }) => end));
  const notes: string[] = [];
  if (window.start < from || Math.min(window.end, now) > to) {
    notes.push(`The window extends beyond the data, which covers ${spanText({ start: from, end: to })}.`);
  }
  const all = Math.min(window.end, now, to) - Math.max(window.start, from);
  const outside = Math.max(0, Math.min(window.end, now) - window.start - Math.max(0, all));
  const lacking = [...uncovered].flatMap(([cluster, seconds]) => {
    const name = catalog.clusters.get(cluster) ?? '';
    const missing = seconds - outside;
    return name === '' || missing <= 0 || all <= 0
      ? []
      : [`${name} (${hoursText(missing)} of ${hoursText(all)})`];
  });
  if (lacking.length > 0) {
    notes.push(`Clusters without ${pipeline} for a part of the window: ${shortList(lacking.sort())}.`);
  }
  return notes;
}

function describeExcluded({ excluded }: Catalog): string[] {
  if (excluded.length === 0) return [];
  const names = excluded.map(({ cluster, reason }) =>
    reason === undefined ? cluster : `${cluster} (${reason})`,
  );
  return [`Excluded from the federation, and not in this answer: ${shortList(names)}.`];
}

/** Creates a function that returns whether a query reads a given cluster's records from a given file. */
function answering(picks: Covering['picks']): (file: ServedFile, cluster: number) => boolean {
  const picked = new Set(picks.map(({ file, cluster }) => `${file} ${cluster}`));
  return ({ id }, cluster) => picked.has(`${id} ${cluster}`);
}

/** Warns about numbers that are NaN or infinite and therefore count as 0. */
function describeNotFinite(catalog: Catalog, { picks }: Covering): string[] {
  const broken = catalog.files.filter(({ notFinite }) => notFinite.length > 0);
  if (broken.length === 0) return [];
  const answers = answering(picks);
  const places = broken.flatMap((file) =>
    [...Map.groupBy(file.notFinite, ({ cluster }) => cluster)].flatMap(([cluster, found]) => {
      if (!answers(file, cluster)) return [];
      const fields = found.map(({ field, numbers }) =>
        numbers === 1 ? field : `${field} (${numbers} times)`,
      );
      return [`${catalog.clusters.get(cluster) ?? ''} (${spanText(file)}: ${fields.sort().join(', ')})`];
    }),
  );
  if (places.length === 0) return [];
  return [`NaN or infinite numbers count as 0: ${shortList(places.sort())}.`];
}

/**
 * Warns about days for which the cost in the daily file differs from the sum of the costs in the 24 hourly files. Warns
 * only if the query reads one of these files.
 */
function describeDisagreements(
  catalog: Catalog,
  pipeline: Pipeline,
  { picks }: Covering,
  now: number,
): string[] {
  const closed = catalog.disagreements.filter(({ day }) => day.pipeline === pipeline && day.end <= now);
  if (closed.length === 0) return [];
  const answers = answering(picks);
  const days = closed
    .filter(({ cluster, day, hours }) => [day, ...hours].some((file) => answers(file, cluster)))
    .map(({ cluster, day, cost }) => {
      const name = catalog.clusters.get(cluster) ?? '';
      return `${name} on ${timeText(day.start).slice(0, 10)} (${cost.day.toFixed(2)} and ${cost.hours.toFixed(2)})`;
    });
  return days.length === 0
    ? []
    : [`Days of ${pipeline} and their 24 hours differ in cost by more than 1 %: ${shortList(days.sort())}.`];
}

/** Joins the first few items with commas. If there are more items, appends the number of omitted items. */
export function shortList(items: readonly string[]): string {
  const shown = items.slice(0, mostNamed).join(', ');
  return items.length > mostNamed ? `${shown} and ${items.length - mostNamed} more` : shown;
}

const mostNamed = 5;

function hoursText(seconds: number): string {
  const hours = seconds / 3_600;
  return hours >= 48 && hours % 24 === 0 ? `${hours / 24} days` : `${Number(hours.toFixed(2))} h`;
}

/** Formats a time span, such as `2026-11-14T00:00:00Z to 2026-11-15T00:00:00Z`. */
export function spanText({ start, end }: Span): string {
  return `${timeText(start)} to ${timeText(end)}`;
}

/** Formats unix seconds as an RFC 3339 time in UTC. Fractions of a second are dropped. */
export function timeText(seconds: number): string {
  return `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}
