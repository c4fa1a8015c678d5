import type { Measure } from '../etl/measure';
import { keptVersion } from '../federation/decision';
import { describeChange } from '../federation/measure';
import type { PlannedWindow, PlanShard } from '../federation/plan-document';
import type { Provenance } from '../federation/provenance';
import { judge, type ShrunkSource, type Verdict } from '../federation/shrinkage';
import type { PreviousContributions } from './previous-contributions';
import type { BadFinding } from './quarantine';
import type { WindowSource } from './window-sources';

/** What is needed to judge the sources of a planned window, apart from the sources themselves. */
export interface JudgedWindow extends Pick<PlanShard, 'now' | 'shrinkage'> {
  readonly planned: PlannedWindow;
  /** End of the window in unix seconds. */
  readonly end: number;
  readonly previous: PreviousContributions;
}

export interface JudgedSources {
  /** The sources that must not be merged, because they have lost too much of their data. */
  readonly bad: BadFinding[];
  /** The sources that are merged although they have become smaller. */
  readonly shrunk: ShrunkSource[];
  /** The sources in `shrunk` that have lost much of their data and were not merged before. Each is logged. */
  readonly named: ShrunkSource[];
}

/**
 * Judges the sources of a merged window by the amount of data in their files. Does not judge a file again that the base
 * generation already contains. Otherwise, the decision about the file could change when the window becomes old enough
 * to count as closed.
 *
 * @param merged provenance of the window, after all of these sources were merged
 */
export function judgeSources(
  window: JudgedWindow,
  sources: readonly WindowSource[],
  merged: Provenance,
): JudgedSources {
  const { end, now, shrinkage } = window;
  const remembered = new Map(window.planned.shrunk.map((shrunk) => [shrunk.cluster, shrunk]));
  const contributions = new Map(merged.sources.map(({ cluster, contribution }) => [cluster, contribution]));
  const judged: JudgedSources = { bad: [], shrunk: [], named: [] };
  for (const source of sources) {
    const { cluster, decision, seen } = source;
    const entry = remembered.get(cluster);
    const measure = contributions.get(cluster)?.measure;
    if (measure === undefined || decision === 'accepted') continue;
    if (keptVersion(decision) !== undefined || wasTaken(window.previous, source)) {
      if (entry !== undefined) judged.shrunk.push(entry);
      continue;
    }
    const standing = window.previous.of(cluster)?.contribution.measure;
    const verdict = judge({ end, now, rules: shrinkage, measure, standing, remembered: entry });
    const bad = badFinding(source, verdict, measure);
    if (bad !== undefined) judged.bad.push(bad);
    else if (verdict.kind === 'smaller' || verdict.kind === 'shrunk') {
      const { largest, closed } = verdict;
      const shrunk = { cluster, window: window.planned.window, seen, largest, now: measure, closed };
      judged.shrunk.push(shrunk);
      if (!closed) judged.named.push(shrunk);
    }
  }
  return judged;
}

/** Returns whether the cluster's last contribution was made from this version of its file. */
function wasTaken(previous: PreviousContributions, { cluster, seen }: WindowSource): boolean {
  const source = previous.of(cluster)?.from.sources.find((one) => one.cluster === cluster);
  return source?.seen === seen && keptVersion(source.decision) === undefined;
}

function badFinding(source: WindowSource, verdict: Verdict, now: Measure): BadFinding | undefined {
  if (verdict.kind === 'emptied') {
    const detail = `The file has no records, where the cluster had ${verdict.records} before.`;
    return { source, code: 'SOURCE_EMPTIED', detail };
  }
  if (verdict.kind !== 'shrunk' || !verdict.closed) return undefined;
  const detail = `The file of this closed window has lost too much: ${describeChange(verdict.largest, now)}.`;
  return { source, code: 'SOURCE_SHRUNK', detail };
}
