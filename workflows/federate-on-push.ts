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

export interface FederateOnPushInput {
  readonly idPrefix: string;
  /** A run begins once nobody has pushed for so long, in milliseconds, as clusters push many files at a time. */
  readonly quietMs: number;
  /** It begins so long after the first push at the latest. */
  readonly latestMs: number;
  /** Whether somebody pushed before this execution began. */
  readonly waiting?: boolean;
}

/** Runs after which it continues as new, long before its history is long. */
const runsPerHistory = 50;

/**
 * Starts a federation after pushes, for ever; one at a time, so that pushes during a run make one run more. A run that
 * fails is told of by itself: the next push starts the next one, and so does the schedule.
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
  try {
    await executeChild(federation, {
      workflowId: requestedFederationId(idPrefix, new Date(), 'push'),
      args: [{ idPrefix, request: { trigger: 'push' } }],
      workflowRunTimeout: '12h',
      staticSummary: 'asked by a push',
      // A run that has begun is nobody's but its own.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('A federation after a push failed', failureOf(error));
  }
}
