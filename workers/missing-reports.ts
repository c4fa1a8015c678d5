import type { Client } from '@temporalio/client';
import { runsFor } from '../activities/clean-up';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FederationReport } from '../federation/run';
import { noCalls } from '../federation/store-calls';
import type { TemporalRun } from '../operator/join-runs';
import { errorOfRun, listTemporalRuns } from '../operator/temporal-runs';
import type { Bucket } from '../storage/bucket';

/** Number of runs that are looked at. If even more runs failed in a row, the reports of the newest ones are enough. */
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
  /** Names of runs that are known to have a report. Filled by `writeMissingReports`, which does not look for these. */
  readonly reported: Set<string>;
}

/**
 * Writes the request and the report of runs that ended without a report: the bucket was away, or the run was
 * terminated. Returns the reports that it wrote. Existing objects are not replaced.
 */
export async function writeMissingReports(
  { bucket, client, idPrefix, now, reported }: MissingReportsInput,
  signal: AbortSignal,
): Promise<MissingReport[]> {
  const ended = (await listTemporalRuns(client, idPrefix, mostRuns, true)).filter(
    // The clean-up has deleted the reports of older runs on purpose.
    ({ run, startedAt, endedAt = startedAt }) =>
      !reported.has(run) && now.getTime() - Date.parse(endedAt) < runsFor,
  );
  const written = await mapConcurrently(ended, 16, async (run): Promise<MissingReport[]> => {
    const document = documents.runReport.at(run.run);
    let written: MissingReport[] = [];
    if ((await bucket.head(document.key, { signal })) === undefined) {
      if (run.request !== undefined)
        await createDocument(bucket, documents.runRequest.at(run.run), run.request, { signal });
      const report = reportOf(run, await errorOfRun(client, run));
      if (await createDocument(bucket, document, report, { signal }))
        written = [{ died: run.outcome === 'died', report }];
    }
    reported.add(run.run);
    return written;
  });
  return written.flat();
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
    unfinished: [],
    calls: noCalls(),
    ...(error && { error }),
  };
}
