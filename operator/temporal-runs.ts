import {
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { type KeptError, sentence } from '../errors/hints';
import { type FederationReport, requestSchema, runOutcomes } from '../federation/run';
import { failureOf } from '../workflows/attempts';
import type { federation } from '../workflows/federation';
import { names } from '../workflows/names';
import { searchAttributes } from '../workflows/search-attributes';
import type { Run, TemporalRun } from './join-runs';

/**
 * Outcome of a run, by the status of its workflow. `COMPLETED` is missing, because the outcome of a completed run is in
 * a search attribute.
 */
const outcomes: Partial<Record<WorkflowExecutionStatusName, Run['outcome']>> = {
  RUNNING: 'running',
  PAUSED: 'running',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'died',
  TIMED_OUT: 'died',
};

const unsuccessful = "ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut')";

/** Maximum number of workflows that a server returns at once. */
const longestPage = 1_000;

/**
 * Lists up to `limit` federations that Temporal knows and whose ids have this prefix: first the running ones, then
 * those that ended most recently. If `failed`, lists only those that failed, died or were cancelled. Temporal's list
 * lags behind by about a second.
 */
export async function listTemporalRuns(
  client: Client,
  idPrefix: string,
  limit: number,
  failed = false,
): Promise<TemporalRun[]> {
  const prefix = names(idPrefix).federation('');
  const query = [
    "WorkflowType = 'federation'",
    `WorkflowId STARTS_WITH '${prefix.replace(/['\\]/g, '\\$&')}'`,
    ...(failed ? [unsuccessful] : []),
  ].join(' AND ');
  const found = new Map<string, TemporalRun>();
  for await (const info of client.workflow.list({ query, pageSize: Math.min(limit, longestPage) })) {
    // A reset run has several executions with the same id. The first in the list is the newest.
    if (!found.has(info.workflowId)) found.set(info.workflowId, describeRun(info));
    if (found.size >= limit) break;
  }
  return [...found.values()];
}

/** Returns what Temporal knows about a federation run, or undefined if it knows no run with this name. */
export async function findTemporalRun(
  client: Client,
  idPrefix: string,
  run: string,
): Promise<TemporalRun | undefined> {
  if (!run.startsWith(names(idPrefix).federation(''))) return undefined;
  try {
    const info = await client.workflow.getHandle(run).describe();
    return info.type === 'federation' ? describeRun(info) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Returns the error of a run that failed or died; undefined for any other run. */
export async function errorOfRun(
  client: Client,
  { run, runId, outcome }: TemporalRun,
): Promise<FederationReport['error']> {
  if (outcome !== 'failed' && outcome !== 'died') return undefined;
  try {
    await client.workflow.getHandle(run, runId, { followRuns: false }).result();
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return errorOfFailed(error);
  }
}

/** Returns the error of a run that failed, was cancelled, was terminated or ran into its time limit. */
export function errorOfFailed({ cause }: WorkflowFailedError): KeptError {
  if (cause instanceof CancelledFailure)
    return { code: 'FEDERATION_FAILED', message: 'The run was cancelled.' };
  if (cause instanceof TerminatedFailure || cause instanceof TimeoutFailure)
    return { code: 'RUN_DIED', message: sentence(`The run ended without a report: ${cause.message}`) };
  return failureOf(cause);
}

/**
 * Returns the report of a run that succeeded but could not write its report to the bucket. Returns undefined if the
 * report was written.
 */
export async function unwrittenReport(
  client: Client,
  { run, runId }: TemporalRun,
): Promise<FederationReport | undefined> {
  const handle = client.workflow.getHandle<typeof federation>(run, runId, { followRuns: false });
  return (await handle.result()).unwritten;
}

function describeRun(info: Omit<WorkflowExecutionInfo, 'raw'>): TemporalRun {
  const startedAt = info.startTime.toISOString();
  const { success, data } = requestSchema.safeParse({ at: startedAt, ...asObject(info.memo?.['request']) });
  const reported = runOutcomes.find(
    (outcome) => outcome === info.typedSearchAttributes.get(searchAttributes.outcome),
  );
  const completed = info.status.name === 'COMPLETED' ? reported : undefined;
  return {
    run: info.workflowId,
    runId: info.runId,
    outcome: outcomes[info.status.name] ?? completed ?? 'unknown',
    startedAt,
    ...(info.closeTime && { endedAt: info.closeTime.toISOString() }),
    ...(success && { request: data }),
  };
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
