import { ApplicationFailure, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { failureOf } from './attempts';

/**
 * Returns the failure to throw when a run cannot continue. It makes the workflow fail, with the error's code as the
 * failure's type. A plain error would not end the workflow: Temporal would retry the workflow task forever.
 */
export function asRunFailure(error: unknown): Error {
  if (isCancellation(error) && error instanceof TemporalFailure) return error;
  const { code, message, hint } = failureOf(error);
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: true,
    ...(hint !== undefined && { details: [{ hint }] }),
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
