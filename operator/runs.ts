import { mapConcurrently } from '../concurrency/map-concurrently';
import { readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { parseRunKey, runsPrefix } from '../federation/layout';
import type { FederationReport, FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { briefTimeoutMs, type Operator } from './operator';

/**
 * A federation run, according to the bucket and Temporal. The outcome is `died` if the run ended without a report, and
 * `unknown` if it either died or is still running.
 */
export interface Run {
  readonly run: string;
  readonly outcome: FederationReport['outcome'] | 'running' | 'died' | 'unknown';
  readonly request?: FederationRequest;
  readonly report?: FederationReport;
}

/** Reads up to `limit` runs, newest first. If `failed`, reads only runs that failed or have no report. */
export async function readRuns(bucket: BucketReader, limit: number, failed = false): Promise<Run[]> {
  const names: string[] = [];
  for await (const entry of bucket.list(runsPrefix, { delimiter: '/' })) {
    const parsed = entry.kind === 'prefix' ? parseRunKey(entry.prefix) : undefined;
    if (parsed !== undefined) names.push(parsed.run);
  }
  // Start with the newest runs. The names contain the time of the request, so they were listed oldest first.
  names.reverse();
  const runs: Run[] = [];
  for (let at = 0; at < names.length && runs.length < limit; at += limit) {
    const batch = await mapConcurrently(names.slice(at, at + limit), 16, (run) => readRun(bucket, run));
    runs.push(...batch.filter(({ outcome }) => !failed || outcome === 'failed' || outcome === 'unknown'));
  }
  return runs.slice(0, limit);
}

async function readRun(bucket: BucketReader, run: string): Promise<Run> {
  const [request, report] = await Promise.all([
    readDocument(bucket, documents.runRequest.at(run)),
    readDocument(bucket, documents.runReport.at(run)),
  ]);
  return { run, outcome: report?.outcome ?? 'unknown', request, report };
}

/**
 * Asks Temporal whether runs without a report are running or died. If Temporal does not answer, they stay `unknown`.
 */
export async function askTemporal(operator: Operator, runs: readonly Run[]): Promise<Run[]> {
  if (!runs.some(({ outcome }) => outcome === 'unknown')) return [...runs];
  const temporal = await operator.temporal({ timeoutMs: briefTimeoutMs }).catch(() => undefined);
  if (temporal === undefined) return [...runs];
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  return mapConcurrently(runs, 16, async (run) => {
    if (run.outcome !== 'unknown') return run;
    try {
      const { status } = await temporal.client.workflow.getHandle(run.run).describe();
      return { ...run, outcome: status.name === 'RUNNING' ? 'running' : 'died' };
    } catch (error) {
      return error instanceof WorkflowNotFoundError ? { ...run, outcome: 'died' } : run;
    }
  });
}

/** Summary of a federation run. `runs --json` prints a list of these summaries. Times are in RFC 3339. */
export interface RunSummary extends Pick<Run, 'run' | 'outcome'> {
  readonly trigger?: FederationRequest['trigger'];
  readonly why?: string;
  /** Name of the run that this one replays. */
  readonly replayOf?: string;
  readonly requestedAt?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly generation?: number;
  readonly windows?: FederationReport['windows'];
  /** Number of quarantined sources. */
  readonly quarantined?: number;
  /** Number of calls to the store, by operation. */
  readonly calls?: FederationReport['calls'];
  /** Steps that failed after the commit. The next run repeats them. */
  readonly unfinished?: FederationReport['unfinished'];
  readonly warnings?: FederationReport['warnings'];
  readonly error?: FederationReport['error'];
}

/** Lists up to `limit` runs, newest first. If `failed`, lists only runs that failed, died or may have died. */
export async function listRuns(operator: Operator, limit: number, failed = false): Promise<RunSummary[]> {
  const runs = await askTemporal(operator, await readRuns(await operator.bucket(), limit, failed));
  return runs.filter(({ outcome }) => !failed || outcome !== 'running').map(summarizeRun);
}

function summarizeRun({ run, outcome, request, report }: Run): RunSummary {
  return {
    run,
    outcome,
    trigger: request?.trigger,
    why: request?.why,
    replayOf: request?.replayOf,
    requestedAt: request?.at,
    startedAt: report?.startedAt,
    endedAt: report?.endedAt,
    generation: report?.generation,
    windows: report?.windows,
    quarantined: report?.quarantined,
    calls: report?.calls,
    unfinished: report?.unfinished,
    warnings: report?.warnings,
    error: report?.error,
  };
}
