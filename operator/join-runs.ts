import { byBytes } from '../federation/byte-order';
import type { FederationReport, FederationRequest } from '../federation/run';

/**
 * A federation run, according to the bucket and Temporal. The outcome is `died` if the run ended without a report, for
 * example because it was terminated. The outcome is `unknown` if there is no way to find out how the run ended.
 */
export interface Run {
  readonly run: string;
  readonly outcome: FederationReport['outcome'] | 'running' | 'died' | 'unknown';
  readonly request?: FederationRequest;
  readonly report?: FederationReport;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly error?: FederationReport['error'];
}

/** What the bucket knows about a run. */
export type StoredRun = Pick<Run, 'request' | 'report'>;

/** What Temporal knows about a run. */
export interface TemporalRun extends Pick<Run, 'run' | 'outcome' | 'request' | 'endedAt'> {
  /** Temporal's run id of the workflow execution. */
  readonly runId: string;
  readonly startedAt: string;
}

/**
 * Merges lists of run names into one list, newest run first. Run names sort by age, because they contain the time of
 * the request.
 */
export function newestFirst(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort((a, b) => byBytes(b, a));
}

/**
 * Combines what the bucket and Temporal know about a run. The documents in the bucket have precedence. `known` is
 * undefined if Temporal does not know the run. It is `silent` if there is no way to know how the run ended, because
 * Temporal does not answer, or because the report exists but is damaged.
 */
export function joinRun(
  run: string,
  { request, report }: StoredRun,
  known: TemporalRun | undefined | 'silent',
  error?: Run['error'],
): Run {
  if (report !== undefined) {
    const { outcome, startedAt, endedAt } = report;
    const asked = request ?? (known === 'silent' ? undefined : known?.request);
    return { run, outcome, request: asked, report, startedAt, endedAt, error: report.error };
  }
  if (known === 'silent') return { run, outcome: 'unknown', request };
  if (known === undefined) return { run, outcome: 'died', request };
  const { outcome, startedAt, endedAt } = known;
  return { run, outcome, request: request ?? known.request, startedAt, endedAt, error };
}

const unsuccessful: readonly Run['outcome'][] = ['failed', 'died', 'cancelled'];

/** Returns whether a run ended without success, and so may be worth replaying. */
export function isUnsuccessful({ outcome }: Run): boolean {
  return unsuccessful.includes(outcome);
}

/**
 * Returns the runs that failed, died or were cancelled and are worth replaying. Expects the runs newest first. Failures
 * before the last commit need no replay, because that commit merged everything that had been pushed before. A failure
 * also needs no replay if a later run with an equal request found nothing to do.
 */
export function failuresToReplay(runs: readonly Run[]): Run[] {
  const committed = runs.findIndex(hasCommitted);
  const since = committed === -1 ? runs : runs.slice(0, committed);
  const recorded = since.filter(({ request }) => request !== undefined);
  const settled = groupByRequest(recorded).flatMap((group) => {
    const nothing = group.findIndex(({ outcome }) => outcome === 'nothing');
    return nothing === -1 ? [] : group.slice(nothing);
  });
  return since.filter((run) => isUnsuccessful(run) && !settled.includes(run));
}

/** Returns whether a run ended with a commit. */
export function hasCommitted({ outcome }: Run): boolean {
  return outcome === 'complete' || outcome === 'partial';
}

/** Groups runs by equal requests, regardless of who made them and when. Keeps the order of the runs. */
export function groupByRequest(runs: readonly Run[]): Run[][] {
  const groups = Map.groupBy(
    runs,
    ({ request: { windows, change, from, ...flags } = {} as FederationRequest }) =>
      JSON.stringify([
        windows?.start,
        windows?.end,
        change,
        from,
        ...(['force', 'full', 'takeOver', 'resume', 'newFederation'] as const).map(
          (flag) => flags[flag] === true,
        ),
      ]),
  );
  return [...groups.values()];
}
