import { ApplicationFailure, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { failureOf } from './attempts';

/**
 * What a run throws when it cannot go on. A plain error would fail the workflow task, and be tried for ever while the
 * run stands there as Running; this ends the run, with the code of what went wrong as its type.
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
