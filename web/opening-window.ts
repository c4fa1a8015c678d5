import type { ClusterView } from '../api/contract';
import { dates } from './format';

/** What the page asks where nobody chose a window; `why` where it is not the usual one. */
export interface OpeningWindow {
  readonly window: string;
  readonly why?: string;
}

const dayMs = 86_400_000;
const usualDays = 7;
/** As the API means it: today and the six days before. */
export const usual: OpeningWindow = { window: '7d' };

/** The last seven days or, where none of the clusters has data in them, the last days that have. */
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
  const which = end - start > dayMs ? 'These are the last days that have' : 'This is the last day that has';
  return { window: `${from},${to}`, why: `The last seven days have no data. ${which}: ${days}.` };
}
