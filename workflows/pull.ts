import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClusterActivities } from '../activities/cluster-activities';
import type { PullSummary } from '../activities/pull-combined';
import { attemptLoop, nextAttempt, type AttemptLoop } from './attempts';
import { enterPrimaryUpdate, leavePrimaryUpdate, primaryStatusUpdate, pullNow, pullState, type Attempted } from './messages';
import { longActivity } from './retries';

export interface PullInput {
  readonly cluster: string;
  /** It looks for a new generation at least this often, should nobody tell. In milliseconds. */
  readonly pullEveryMs: number;
  readonly state?: Attempted<PullSummary>;
}

const { pullCombined, leavePrimary, enterPrimary, primaryStatus } = proxyActivities<ClusterActivities>(longActivity);

/** Keeps a primary's local ETL store what the newest generation is, for ever. Signalled after each commit. */
export async function pull(input: PullInput): Promise<void> {
  const loop: AttemptLoop<PullSummary> = attemptLoop(input.state);
  // One at a time: leaving while a pull runs would leave pulled files behind.
  let busy = false;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    // Of several that wait, all are woken at once, and only the first of them finds it free.
    while (busy) await condition(() => !busy);
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  };

  setHandler(pullNow, () => void (loop.requested = true), { description: 'Look for a new generation and pull it' });
  setHandler(pullState, () => ({ cluster: input.cluster, ...loop.state }), { description: 'What the last pull did' });
  setHandler(leavePrimaryUpdate, () =>
    alone(async () => {
      const summary = await leavePrimary.executeWithOptions({ summary: `${input.cluster} leaves` }, []);
      loop.requested = true;
      return summary;
    }),
  );
  setHandler(enterPrimaryUpdate, () =>
    alone(async () => {
      const summary = await enterPrimary.executeWithOptions({ summary: `${input.cluster} enters` }, []);
      loop.requested = true;
      return summary;
    }),
  );
  setHandler(primaryStatusUpdate, () => primaryStatus.executeWithOptions({ summary: 'what the volume remembers' }, []));

  while (!workflowInfo().continueAsNewSuggested) {
    await nextAttempt(loop, 'pull', input.pullEveryMs, () =>
      alone(() => pullCombined.executeWithOptions({ summary: `pull to ${input.cluster}` }, [])),
    );
    await condition(() => loop.requested, loop.waitMs);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof pull>({ ...input, state: loop.state });
}
