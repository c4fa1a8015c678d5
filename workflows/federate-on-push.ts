import {
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  log,
  ParentClosePolicy,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { failureOf } from './attempts';
import { federation } from './federation';
import { pushed } from './messages';
import { requestedFederationId } from './names';
import { requestMemo } from './request-memo';

export interface FederateOnPushInput {
  readonly idPrefix: string;
  /**
   * Time without a push after which a federation starts, in milliseconds. Clusters often push many files in a row, and
   * one federation handles them all.
   */
  readonly quietMs: number;
  /** Maximum time from the first push to the start of a federation, in milliseconds. */
  readonly latestMs: number;
  /** True if the previous execution of this workflow received a push that no federation has handled yet. */
  readonly waiting?: boolean;
}

/** Number of federations after which the workflow continues as new, to keep its history short. */
const runsPerHistory = 50;

/**
 * Starts federations after pushes, forever. Only one federation runs at a time. Pushes that arrive in the meantime are
 * all handled by the next federation. A failed federation is not retried here, because the next push or the schedule
 * starts another one.
 */
export async function federateOnPush(input: FederateOnPushInput): Promise<void> {
  let first = input.waiting === true ? Date.now() : undefined;
  let last = first ?? 0;
  setHandler(
    pushed,
    () => {
      last = Date.now();
      first ??= last;
    },
    { description: 'A cluster pushed something' },
  );
  for (let runs = 0; runs < runsPerHistory && !workflowInfo().continueAsNewSuggested; runs++) {
    await condition(() => first !== undefined);
    for (;;) {
      const waitMs = Math.min(last + input.quietMs, (first ?? 0) + input.latestMs) - Date.now();
      if (waitMs <= 0) break;
      await sleep(waitMs, { summary: 'until nobody pushes any more' });
    }
    first = undefined;
    await federate(input.idPrefix);
  }
  await continueAsNew<typeof federateOnPush>({ ...input, waiting: first !== undefined });
}

async function federate(idPrefix: string): Promise<void> {
  const request = { trigger: 'push' } as const;
  try {
    await executeChild(federation, {
      workflowId: requestedFederationId(idPrefix, new Date(), 'push'),
      args: [{ idPrefix, request }],
      memo: requestMemo(request),
      workflowRunTimeout: '12h',
      staticSummary: 'asked by a push',
      // A federation that has started must continue even if this workflow ends.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.debug('A federation after a push failed', { ...failureOf(error) });
  }
}
