import { ApplicationFailure, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { failureOf } from './attempts';

/**
 * Returns the failure to throw when a run cannot continue. It ends the run, with the error's code as its type. A plain
 * error would only fail the workflow task, which Temporal retries forever while the run still shows as Running.
 */
export function asRunFailure(error: unknown): Error {
  if (isCancellation(error) && error instanceof TemporalFailure) return error;
  const { code, message } = failureOf(error);
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: true,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
