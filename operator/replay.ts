import { FederationError } from '../errors/federation-error';
import { readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FederationRequest } from '../federation/run';
import { failuresToReplay, groupByRequest, hasCommitted } from './join-runs';
import type { Operator } from './operator';
import { isStoreFailure, readRuns } from './runs';
import { findTemporalRun } from './temporal-runs';

/**
 * Returns the request that starts a replay of a run. The original request is read from the bucket or, if it never
 * reached the bucket, from Temporal.
 *
 * @throws RUN_NOT_FOUND if neither the bucket nor Temporal has the request; the store's error if the bucket cannot be
 *   read and Temporal does not have the request
 */
export async function replayRequest(operator: Operator, run: string): Promise<FederationRequest> {
  const stored = await storedRequest(operator, run);
  if (stored !== undefined && !isStoreFailure(stored)) return replayOf(run, stored);
  const { client } = await operator.temporal();
  const found = await findTemporalRun(client, operator.settings.temporal.idPrefix, run);
  if (found?.request !== undefined) return replayOf(run, found.request);
  if (stored !== undefined) throw stored;
  throw new FederationError('RUN_NOT_FOUND', {
    subject: { key: run },
    detail: 'Neither the bucket nor Temporal has a request of this run.',
  });
}

async function storedRequest(
  operator: Operator,
  run: string,
): Promise<FederationRequest | FederationError | undefined> {
  try {
    return await readDocument(await operator.bucket(), documents.runRequest.at(run));
  } catch (error) {
    if (isStoreFailure(error)) return error;
    throw error;
  }
}

function replayOf(run: string, request: FederationRequest): FederationRequest {
  return { ...request, trigger: 'replay', replayOf: run, at: new Date().toISOString() };
}

/** The requests that `replay --failed` starts. */
export interface FailedRequests {
  /** Requests to start, in the order of the runs that they replay. */
  readonly requests: readonly FederationRequest[];
  /** Number of runs that are not replayed, because the replay of another run with an equal request does their work. */
  readonly combined: number;
  /** The last run that committed; undefined if none of the recent runs did. */
  readonly since?: string;
  /** Runs that cannot be replayed, because neither the bucket nor Temporal has their request. */
  readonly unrecorded: readonly string[];
  /** Sentences that say what is unknown because the bucket cannot be read or Temporal does not answer. */
  readonly missing: readonly string[];
}

/**
 * Number of recent runs that `--failed` examines. If even more runs have failed in a row, replaying them would not
 * help, because the cause of the failures persists.
 */
const mostRuns = 100;

/**
 * Returns requests, oldest first, that replay the failures that `failuresToReplay` returns. Equal requests are
 * combined: only the last of them is replayed.
 *
 * @throws TEMPORAL_UNAVAILABLE if Temporal does not answer; an error of the store if the bucket cannot be read and
 *   Temporal knows no run to replay
 */
export async function failedSinceTheLastCommit(operator: Operator): Promise<FailedRequests> {
  // Throw if Temporal does not answer: only Temporal knows the runs that could not reach the bucket.
  await operator.temporal();
  const { runs, missing, bucketError } = await readRuns(operator, mostRuns);
  const failed = failuresToReplay(runs);
  if (failed.length === 0 && bucketError !== undefined) throw bucketError;
  const recorded = failed.filter(({ request }) => request !== undefined);
  const groups = groupByRequest(recorded);
  return {
    requests: groups
      .flatMap(([last]) => (last?.request === undefined ? [] : replayOf(last.run, last.request)))
      .reverse(),
    combined: recorded.length - groups.length,
    since: runs.find(hasCommitted)?.run,
    unrecorded: failed.filter(({ request }) => request === undefined).map(({ run }) => run),
    missing,
  };
}
