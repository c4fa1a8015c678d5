import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  condition,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { CommitResult } from '../activities/commit-generation';
import type { FederationActivities } from '../activities/federation-activities';
import type { PlanSummary } from '../activities/plan-federation';
import { describeHold } from '../federation/hold';
import type { FederationReport, FederationRequest, RunOutcome } from '../federation/run';
import { addCalls } from '../federation/store-calls';
import { failureOf } from './attempts';
import { commit, type CommitEnd, type CommitInput } from './commit';
import { asRunFailure } from './failure';
import { handleInternalSignals } from './internal-signal';
import { mergePlan } from './merge-plan';
import { type LaneProgress, progress, windowsMerged } from './messages';
import { names } from './names';
import { longActivity, quickActivity } from './retries';
import { handleRosterMessages } from './roster-messages';
import { newState, noteCalls, noteLane, noteMerged, type RunState, show, totalsOf } from './run-state';
import { clusterWords, searchAttributes } from './search-attributes';
import { federations } from './sinks';

export interface FederationInput {
  readonly idPrefix: string;
  /**
   * The request to federate. The schedule always sends the same request, so it cannot set `at`. If `at` is missing, the
   * start time of the run is used.
   */
  readonly request: Omit<FederationRequest, 'at'> & { readonly at?: string };
  /** Maximum number of windows merged at once. (Default: 64) */
  readonly parallel?: number;
}

/** The result of a run. The bucket contains a more detailed report. */
export interface FederationSummary {
  readonly run: string;
  readonly outcome: RunOutcome;
  /** Explains why nothing was merged. Undefined if something was merged. */
  readonly why?: string;
  readonly generation?: number;
  readonly clusters: number;
  readonly excluded: readonly string[];
  readonly windows: number;
  readonly planned: number;
  readonly merged: number;
  readonly quarantined: number;
  /**
   * Number of sources that had shrunk, but were merged nevertheless, because their windows were not closed yet.
   */
  readonly shrunk: number;
  /** Number of files copied to `combined/etl/bingen/`. */
  readonly published?: number;
  /** Steps that failed after the commit, with the reasons. The next run repeats these steps. */
  readonly unfinished: readonly string[];
  /** The report, if the run could not write it to the bucket. The next run writes it. */
  readonly unwritten?: FederationReport;
}

const { recordRequest, awaitEarlierRuns, writeReport } = proxyActivities<FederationActivities>(quickActivity);
const { planFederation } = proxyActivities<FederationActivities>(longActivity);

/**
 * Maximum number of plans per run. A run has to plan again if another commit or a change of membership overtakes its
 * plan, or if what the run wrote to the bucket cannot be read. After this many plans, the run fails, and an operator
 * has to find out who else commits or writes to the bucket.
 */
const maxAttempts = 5;

/** Runs one federation: plans, merges the windows that have changed, and commits. See `docs/design/commit.md`. */
export async function federation(input: FederationInput): Promise<FederationSummary> {
  const { workflowId: run, runId } = workflowInfo();
  const startedAt = new Date().toISOString();
  const request: FederationRequest = { ...input.request, at: input.request.at ?? startedAt };
  const state = newState(run);
  const end = handleRosterMessages(names(input.idPrefix).roster, state);
  setHandler(progress, () => state.progress, { description: 'How far the run is' });
  handleInternalSignals([windowsMerged, (lane) => noteMerged(state, lane as LaneProgress | null)]);
  const reportOf = (outcome: RunOutcome, error?: FederationReport['error']): FederationReport => ({
    format: 1,
    run,
    workflowRunId: runId,
    outcome,
    startedAt,
    endedAt: new Date().toISOString(),
    ...reportedFacts(state),
    ...(error === undefined ? {} : { error }),
  });

  try {
    upsertSearchAttributes([
      { key: searchAttributes.outcome, value: 'running' },
      ...(request.replayOf === undefined
        ? []
        : [{ key: searchAttributes.replayOf, value: request.replayOf }]),
    ]);
    noteCalls(
      state,
      await recordRequest.executeWithOptions({ summary: 'record what was asked' }, [{ run, request }]),
    );
    show(state, { phase: 'waiting for an earlier run' });
    await awaitEarlierRuns.executeWithOptions(
      { summary: 'wait for an earlier run to end', startToCloseTimeout: '1h' },
      [{ run, runId }],
    );
    while (state.committed === undefined) await attempt(input, request, state);
    show(state, { phase: 'reporting' });
    upsertSearchAttributes(outcomeAttributes(state, outcomeOf(state)));
    const unwritten = await reportCommit(state, () => reportOf(outcomeOf(state)));
    const outcome = outcomeOf(state);
    federations.ended(outcome);
    show(state, { phase: 'done' });
    end();
    await condition(allHandlersFinished);
    return { ...summaryOf(state, outcome), ...(unwritten && { unwritten }) };
  } catch (error) {
    const outcome = isCancellation(error) ? 'cancelled' : 'failed';
    const failure = asRunFailure(error);
    // Report no error for a cancelled run, because the outcome `cancelled` says everything.
    const reported = outcome === 'cancelled' ? undefined : failureOf(failure);
    await CancellationScope.nonCancellable(async () => {
      upsertSearchAttributes([{ key: searchAttributes.outcome, value: outcome }]);
      // Only log a failure to write the report: the run must fail with its original error. Do not log it if it has the
      // same cause as the failure of the run.
      await writeReport
        .executeWithOptions({ summary: 'write the report' }, [reportOf(outcome, reported)])
        .catch((error: unknown) => {
          if (failureOf(error).code !== reported?.code) logUnwritten(error);
        });
    });
    federations.ended(outcome, reported);
    show(state, { phase: 'done' });
    end();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    throw failure;
  }
}

/**
 * Writes the report of a run that has committed. If that fails, the commit has still succeeded, so the report is only
 * noted as unfinished. Returns the report that is still to be written; undefined if it was written.
 */
async function reportCommit(
  state: RunState,
  report: () => FederationReport,
): Promise<FederationReport | undefined> {
  try {
    await writeReport.executeWithOptions({ summary: 'write the report' }, [report()]);
    return undefined;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = logUnwritten(error);
    const unfinished = [...(state.committed?.unfinished ?? []), `report: ${code}: ${message}`];
    state.committed = { ...(state.committed ?? {}), unfinished };
    upsertSearchAttributes(outcomeAttributes(state, outcomeOf(state)));
    return report();
  }
}

function logUnwritten(error: unknown): { code: string; message: string } {
  const { code, message } = failureOf(error);
  log.warn('The report could not be written', { code, reason: message });
  return { code, message };
}

/**
 * Plans, merges and commits once, then sets `state.committed`. Leaves it unset if another commit or a change of
 * membership has overtaken the plan, or if the plan or its results are damaged. The caller then makes another attempt.
 */
async function attempt(input: FederationInput, request: FederationRequest, state: RunState): Promise<void> {
  const { run, attempt: last } = state.progress;
  if (last === maxAttempts) {
    const message = `The plan was overtaken ${maxAttempts} times by other commits or changes of membership, or was damaged.`;
    throw ApplicationFailure.nonRetryable(message, 'FEDERATION_FAILED');
  }
  const number = last + 1;
  noteCalls(state, totalsOf(state));
  state.lanes.clear();
  show(state, { phase: 'planning', attempt: number, merged: 0, quarantined: 0 });
  const plan = await planFederation.executeWithOptions(
    { summary: number === 1 ? 'plan' : `plan again (${number})` },
    [{ run, attempt: number, request }],
  );
  state.plan = plan;
  noteCalls(state, plan);
  show(state, {
    base: plan.base,
    clusters: plan.clusters.count,
    excluded: plan.excluded.ids,
    windows: plan.windows,
    planned: plan.planned,
  });
  upsertSearchAttributes([{ key: searchAttributes.clusters, value: clusterWords(clustersOf(plan)) }]);
  if (plan.outcome === 'no-input' || plan.outcome === 'all-excluded') {
    state.committed = { unfinished: [] };
    return;
  }

  if (plan.outcome === 'on-hold') {
    show(state, { phase: 'on hold', generation: plan.base });
    const ended = await runCommit(input, { run, attempt: number, onHold: true });
    noteCalls(state, ended);
    state.committed = ended;
    return;
  }

  let tried: CommitEnd;
  try {
    tried = await mergeAndCommit(input, plan, state);
  } catch (error) {
    const { code, message } = failureOf(error);
    if (code !== 'PLAN_UNREADABLE') throw error;
    log.warn('Planning again, as what the run wrote cannot be read', { reason: message });
    return;
  }
  noteCalls(state, tried);
  if (tried.result.status === 'replan') {
    log.info('Planning again', { why: tried.result.why });
    show(state, { phase: 'planning' });
    return;
  }
  state.committed = tried;
  if (tried.result.status === 'on-hold') return;
  const { generation, quarantined, shrunk } = tried.result;
  show(state, { phase: 'committed', generation, quarantined, shrunk });
}

async function mergeAndCommit(
  input: FederationInput,
  plan: PlanSummary,
  state: RunState,
): Promise<CommitEnd> {
  const { run, attempt: number } = state.progress;
  if (plan.planned > 0) show(state, { phase: 'merging' });
  const { mergeQueue } = names(input.idPrefix);
  await mergePlan({ run, attempt: number, mergeQueue, parallel: input.parallel }, plan, (lane, soFar) =>
    noteLane(state, lane, soFar),
  );
  // Wait until all requests to exclude or include a cluster have been handled: requests that have arrived before the
  // commit must affect this run.
  await condition(allHandlersFinished);
  show(state, { phase: 'committing' });
  return runCommit(input, { run, attempt: number });
}

/**
 * Runs the commit in a child workflow with a fixed id. If another commit with this id is running, waits up to half an
 * hour for it to end.
 */
async function runCommit(
  input: FederationInput,
  committing: Omit<CommitInput, 'roster'>,
): Promise<CommitEnd> {
  for (let tries = 1; ; tries++) {
    try {
      return await executeChild(commit, {
        workflowId: names(input.idPrefix).commit,
        args: [{ ...committing, roster: names(input.idPrefix).roster }],
        staticSummary: `commit of ${committing.run}`,
        workflowRunTimeout: '2h',
        // Once started, the commit must finish publishing even if this run is cancelled or terminated.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError && tries < 360) {
        await sleep('5s', { summary: 'another commit is under way' });
      } else {
        throw error instanceof ChildWorkflowFailure && error.cause !== undefined ? error.cause : error;
      }
    }
  }
}

function outcomeOf({ plan, committed, progress: { quarantined } }: RunState): RunOutcome {
  if (plan?.outcome === 'no-input' || plan?.outcome === 'all-excluded') return 'nothing';
  if (plan?.outcome === 'on-hold') return 'on-hold';
  return quarantined > 0 || (committed?.unfinished.length ?? 0) > 0 ? 'partial' : 'complete';
}

function outcomeAttributes({ plan, committed, progress: { generation } }: RunState, outcome: RunOutcome) {
  const result = committed?.result;
  const degraded = result !== undefined && 'degraded' in result ? result.degraded : [];
  return [
    { key: searchAttributes.outcome, value: outcome },
    ...(plan === undefined
      ? []
      : [{ key: searchAttributes.clusters, value: clusterWords({ degraded, ...clustersOf(plan) }) }]),
    ...(generation === undefined ? [] : [{ key: searchAttributes.generation, value: generation }]),
  ];
}

function clustersOf({ clusters, excluded }: PlanSummary) {
  return { included: clusters.ids, excluded: excluded.ids };
}

const reasons: Partial<Record<PlanSummary['outcome'], string>> = {
  'no-input': 'There is no file to federate; nothing was changed.',
  'all-excluded': 'Every cluster is excluded or removed; nothing was changed.',
  'nothing-changed': 'No window changed; nothing was merged.',
};

function summaryOf(state: RunState, outcome: RunOutcome): FederationSummary {
  const { plan, committed, progress: at } = state;
  const why = plan?.heldBy === undefined ? plan && reasons[plan.outcome] : describeHold(plan.heldBy);
  return {
    run: at.run,
    outcome,
    ...(why === undefined ? {} : { why }),
    ...(at.generation === undefined ? {} : { generation: at.generation }),
    clusters: at.clusters,
    excluded: at.excluded,
    windows: at.windows,
    planned: at.planned,
    merged: totalsOf(state).merged,
    quarantined: at.quarantined,
    shrunk: at.shrunk,
    ...(committed?.published === undefined ? {} : { published: committed.published.copied }),
    unfinished: committed?.unfinished ?? [],
  };
}

function nameConflicts(
  result: CommitResult | { readonly status: 'on-hold' } | undefined,
): Pick<FederationReport, 'nameConflicts'> {
  const conflicts = result !== undefined && 'nameConflicts' in result ? result.nameConflicts : [];
  return conflicts.length === 0 ? {} : { nameConflicts: conflicts };
}

function reportedFacts(state: RunState) {
  const { committed, progress: at } = state;
  const { merged, reused, removed, calls } = totalsOf(state);
  return {
    ...(at.generation === undefined ? {} : { generation: at.generation }),
    clusters: at.clusters,
    excluded: [...at.excluded],
    windows: { all: at.windows, planned: at.planned, merged, reused, removed },
    quarantined: at.quarantined,
    shrunk: at.shrunk,
    ...nameConflicts(committed?.result),
    unfinished: [...(committed?.unfinished ?? [])],
    calls: addCalls(state.calls, calls),
  };
}
