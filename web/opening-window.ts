import type { ClusterView } from '../api/contract';
import { dates } from './format';

/** The window that is shown if the user has not chosen one. If it is not the usual window, `why` says why. */
export interface OpeningWindow {
  readonly window: string;
  readonly why?: string;
}

const dayMs = 86_400_000;
const usualDays = 7;
/** The usual window: today and the six days before, which is how the API defines `7d`. */
export const usual: OpeningWindow = { window: '7d' };

/**
 * Returns the usual window, which is the last seven days. But if no cluster has data in these days, returns the most
 * recent days with data, at most seven.
 */
export function openingWindow(
  clusters: readonly Pick<ClusterView, 'firstData' | 'lastData'>[],
  now: number,
): OpeningWindow {
  const moments = (of: 'firstData' | 'lastData') =>
    clusters.flatMap((cluster) => (cluster[of] === undefined ? [] : [Date.parse(cluster[of])]));
  const [firsts, lasts] = [moments('firstData'), moments('lastData')];
  if (firsts.length === 0 || lasts.length === 0) return usual;
  const tomorrow = (Math.floor(now / dayMs) + 1) * dayMs;
  const [first, last] = [Math.min(...firsts), Math.max(...lasts)];
  if (last > tomorrow - usualDays * dayMs && first < tomorrow) return usual;
  const end = Math.ceil(last / dayMs) * dayMs;
  const start = Math.max(Math.floor(first / dayMs) * dayMs, end - usualDays * dayMs);
  const [from, to] = [start, end].map((moment) => `${new Date(moment).toISOString().slice(0, 19)}Z`);
  const days = dates({ start: from ?? '', end: to ?? '' });
  const which = end - start > dayMs ? 'days' : 'day';
  return {
    window: `${from},${to}`,
    why: `No data in the last seven days. Showing the most recent ${which} with data: ${days}.`,
  };
}
