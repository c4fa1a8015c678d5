import type { Client } from '@temporalio/client';
import { runsFor } from '../activities/clean-up';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FederationReport } from '../federation/run';
import { noCalls } from '../federation/store-calls';
import { isUnsuccessful, type TemporalRun } from '../operator/join-runs';
import { errorOfRun, listTemporalRuns, unwrittenReport } from '../operator/temporal-runs';
import type { Bucket } from '../storage/bucket';

/** Number of runs to check. If even more runs lack a report, it is enough to write the reports of the newest ones. */
const mostRuns = 100;

/** A run whose report was missing. */
export interface MissingReport {
  readonly died: boolean;
  readonly report: FederationReport;
}

export interface MissingReportsInput {
  readonly bucket: Bucket;
  readonly client: Client;
  readonly idPrefix: string;
  readonly now: Date;
  /**
   * Names of runs that are known to have a report. `writeMissingReports` adds to them, and does not check these runs
   * again.
   */
  readonly reported: Set<string>;
}

/**
 * Writes the missing requests and reports of runs that have ended. They are missing if the bucket could not be reached
 * when a run ended, or if a run was terminated. Does not replace existing objects. Returns the reports that it wrote.
 */
export async function writeMissingReports(
  { bucket, client, idPrefix, now, reported }: MissingReportsInput,
  signal: AbortSignal,
): Promise<MissingReport[]> {
  const ended = (await listTemporalRuns(client, idPrefix, mostRuns)).filter(
    ({ run, outcome, startedAt, endedAt = startedAt }) =>
      // A run whose outcome is `complete` has written its report. Otherwise, its outcome would be `partial`.
      outcome !== 'running' &&
      outcome !== 'complete' &&
      !reported.has(run) &&
      // The clean-up has deleted the reports of older runs on purpose.
      now.getTime() - Date.parse(endedAt) < runsFor,
  );
  const written = await mapConcurrently(ended, 16, async (run): Promise<MissingReport[]> => {
    const document = documents.runReport.at(run.run);
    const isThere = (await bucket.head(document.key, { signal })) !== undefined;
    const report = isThere ? undefined : await missingReport(client, run);
    let written = false;
    if (report !== undefined) {
      if (run.request !== undefined)
        await createDocument(bucket, documents.runRequest.at(run.run), run.request, { signal });
      written = await createDocument(bucket, document, report, { signal });
    }
    reported.add(run.run);
    return written && report !== undefined ? [{ died: run.outcome === 'died', report }] : [];
  });
  return written.flat();
}

/**
 * Returns the report of a run. Returns undefined if the run was successful and did write its report: in that case,
 * somebody has deleted it.
 */
async function missingReport(client: Client, run: TemporalRun): Promise<FederationReport | undefined> {
  return isUnsuccessful(run) ? reportOf(run, await errorOfRun(client, run)) : unwrittenReport(client, run);
}

function reportOf(
  { run, runId, outcome, startedAt, endedAt = startedAt }: TemporalRun,
  error: FederationReport['error'],
): FederationReport {
  return {
    format: 1,
    run,
    workflowRunId: runId,
    outcome: outcome === 'cancelled' ? 'cancelled' : 'failed',
    startedAt,
    endedAt,
    clusters: 0,
    excluded: [],
    windows: { all: 0, planned: 0, merged: 0, reused: 0, removed: 0 },
    quarantined: 0,
    shrunk: 0,
    unfinished: [],
    calls: noCalls(),
    ...(error && { error }),
  };
}
