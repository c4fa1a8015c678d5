import type { Pipeline } from '../etl/window';
import type { Catalog, ServedFile } from './catalog';
import type { Covering } from './covering';
import type { Span } from './request';

/** Says that sets were taken whole though a step asked for a part of them. */
export function describeSnapped(snapped: readonly ServedFile[]): string[] {
  const [first] = snapped;
  if (first === undefined) return [];
  const others = snapped.length > 1 ? ` and ${snapped.length - 1} more` : '';
  return [
    `No finer data is held, so ${spanText(first)}${others} ${snapped.length > 1 ? 'were' : 'was'} counted whole, though a part was asked for.`,
  ];
}

/** Says what of a window is not covered by data: at all, or of single clusters. */
export function describeMissing(
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
    notes.push(`The window reaches beyond the data, which is of ${spanText({ start: from, end: to })}.`);
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
    const more = lacking.length > 5 ? ` and ${lacking.length - 5} more` : '';
    notes.push(
      `Clusters without ${pipeline} for a part of the window: ${lacking.sort().slice(0, 5).join(', ')}${more}.`,
    );
  }
  return notes;
}

function hoursText(seconds: number): string {
  const hours = seconds / 3_600;
  return hours >= 48 && hours % 24 === 0 ? `${hours / 24} days` : `${Number(hours.toFixed(2))} h`;
}

/** `2026-11-14T00:00:00Z to 2026-11-15T00:00:00Z` */
export function spanText({ start, end }: Span): string {
  return `${timeText(start)} to ${timeText(end)}`;
}

/** RFC 3339, UTC, whole seconds. */
export function timeText(seconds: number): string {
  return `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}
