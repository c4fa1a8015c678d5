import { type Cell, medianOf } from '../table';
import { eventsOf, historyBytesOf, type MeasuredRun } from './measured-run';

/**
 * Columns of a table of federation runs, keyed by heading. Each function returns the column's value for one run. The
 * table has one row per kind of run; a cell shows the median over all runs of that kind.
 */
const columns: Readonly<Record<string, (run: MeasuredRun) => number>> = {
  seconds: ({ seconds }) => seconds,
  plan: phase('plan'),
  merge: phase('merge'),
  commit: phase('commit'),
  publish: phase('publish'),
  rest: ({ seconds, phases: { plan = 0, merge = 0, commit = 0, publish = 0 } }) =>
    seconds - plan - merge - commit - publish,
  'windows merged/s': ({ seconds, summary }) => summary.merged / seconds,
  LIST: calls('list'),
  HEAD: calls('head'),
  GET: calls('get'),
  PUT: calls('put', 'create'),
  COPY: calls('copy'),
  DELETE: calls('delete'),
  'history events': eventsOf,
  'history KB': (run) => historyBytesOf(run) / 1e3,
};

export const runHeadings = Object.keys(columns);

/** Returns the table cells for runs of the same kind: the median of each column in `runHeadings`. */
export function runCells(runs: readonly MeasuredRun[]): Cell[] {
  return Object.values(columns).map((number) => medianOf(runs, number));
}

function phase(name: keyof MeasuredRun['phases']) {
  return ({ phases }: MeasuredRun) => phases[name] ?? NaN;
}

function calls(...verbs: readonly string[]) {
  return (run: MeasuredRun) => verbs.reduce((sum, verb) => sum + (run.calls.get(verb) ?? 0), 0);
}
