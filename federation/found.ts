import { parseWindowId } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates } from './candidates';
import type { Plan } from './plan';

/** Window counts of a plan for one pipeline and resolution. */
export interface Found {
  readonly pipeline: string;
  readonly resolution: string;
  /** Number of windows to merge. */
  readonly planned: number;
  /** Number of windows that the next generation copies unchanged from the previous one. */
  readonly carried: number;
  /**
   * The numbers for each cluster, in byte order of the cluster ids. `files` is the number of windows for which the
   * cluster has a file. `planned` is the number of those windows that are to be merged.
   */
  readonly clusters: ReadonlyMap<string, { readonly files: number; readonly planned: number }>;
}

/** Counts a plan's windows for each pipeline and resolution. The result is sorted by pipeline and resolution. */
export function countFound(plan: Pick<Plan, 'windows' | 'carried'>, candidates: Candidates): Found[] {
  const planned = new Set<string>(plan.windows.map(({ window }) => window));
  const carried = new Set(plan.carried);
  const known = new Set([...candidates.windows(), ...planned, ...carried]);
  const groups = Map.groupBy(known, (window) => window.slice(0, window.lastIndexOf('/')));
  return [...groups]
    .sort(([a], [b]) => byBytes(a, b))
    .flatMap(([, windows]): Found[] => {
      const ref = parseWindowId(windows[0] ?? '');
      if (ref === undefined) return [];
      const { pipeline, resolution } = ref;
      const counts = {
        planned: windows.filter((window) => planned.has(window)).length,
        carried: windows.filter((window) => carried.has(window)).length,
      };
      return [{ pipeline, resolution, ...counts, clusters: countFiles(windows, planned, candidates) }];
    });
}

function countFiles(
  windows: readonly string[],
  planned: ReadonlySet<string>,
  candidates: Candidates,
): Found['clusters'] {
  const counts = new Map<string, { files: number; planned: number }>();
  for (const window of windows) {
    const due = planned.has(window) ? 1 : 0;
    for (const cluster of candidates.of(window).keys()) {
      const count = counts.get(cluster);
      if (count === undefined) counts.set(cluster, { files: 1, planned: due });
      else {
        count.files += 1;
        count.planned += due;
      }
    }
  }
  return new Map([...counts].sort(([a], [b]) => byBytes(a, b)));
}
