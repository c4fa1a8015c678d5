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
   * Minimum time between the starts of two federations, in milliseconds. When a window ends, all clusters push within a
   * short time of each other: the first push starts a federation, and the next one handles all others.
   */
  readonly gapMs: number;
  /** When the previous execution of this workflow last started a federation, as milliseconds since 1970. */
  readonly begunAt?: number;
  /** True if the previous execution of this workflow received a push that no federation has handled yet. */
  readonly waiting?: boolean;
}

/** Number of federations after which the workflow continues as new, to keep its history short. */
const runsPerHistory = 50;

/**
 * Starts federations after pushes, forever. The first push starts one at once. Only one runs at a time, and they start
 * at least `gapMs` apart; all pushes that arrive in the meantime are handled by the next federation. A failed federation
 * is not retried here, because the next push or the schedule starts another one.
 */
export async function federateOnPush(input: FederateOnPushInput): Promise<void> {
  let waiting = input.waiting === true;
  let begunAt = input.begunAt ?? 0;
  setHandler(pushed, () => void (waiting = true), { description: 'A cluster pushed something' });
  for (let runs = 0; runs < runsPerHistory && !workflowInfo().continueAsNewSuggested; runs++) {
    await condition(() => waiting);
    const waitMs = begunAt + input.gapMs - Date.now();
    if (waitMs > 0) await sleep(waitMs, { summary: 'since the last federation after a push' });
    waiting = false;
    begunAt = Date.now();
    await federate(input.idPrefix);
  }
  await continueAsNew<typeof federateOnPush>({ ...input, begunAt, waiting });
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
