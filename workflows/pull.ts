import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClusterActivities, ExportedGeneration } from '../activities/cluster-activities';
import type { EnterPrimaryInput } from '../activities/enter-primary';
import type { LeavePrimaryInput } from '../activities/leave-primary';
import type { PullSummary } from '../activities/pull-summary';
import type { Condition } from '../federation/conditions';
import { type AttemptLoop, attemptLoop, intervalOf, nextAttempt } from './attempts';
import { handleInternalSignals } from './internal-signal';
import {
  acceptFederationUpdate,
  addOwnNameUpdate,
  type Attempted,
  enterPrimaryUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  pullNow,
  pullState,
  reportConditions,
  skipWaitingUpdate,
} from './messages';
import { reportedConditions } from './reported-conditions';
import { longActivity } from './retries';

export interface PullInput {
  readonly cluster: string;
  /** Approximate interval between checks for a new generation, in milliseconds. A signal triggers an earlier check. */
  readonly pullEveryMs: number;
  readonly state?: Attempted<PullSummary>;
  /** Conditions of the Primary Cluster role, as its process last reported them. */
  readonly conditions?: readonly Condition[];
  /** State of the export; undefined if there has been none. */
  readonly exported?: Attempted<ExportedGeneration>;
}

const {
  pullCombined,
  ingestCombined,
  exportCombined,
  leavePrimary,
  enterPrimary,
  primaryStatus,
  addOwnName,
} = proxyActivities<ClusterActivities>(longActivity);

/**
 * Keeps the local ETL of a primary up to date with the newest generation, forever. After each commit, a signal makes it
 * check at once.
 */
export async function pull(input: PullInput): Promise<void> {
  const loop: AttemptLoop<PullSummary> = attemptLoop(input.state);
  const exporting: AttemptLoop<ExportedGeneration> = attemptLoop(input.exported);
  // A pull must not run while the cluster enters or leaves the primary role. For example, leaving restores the
  // cluster's own files, but would miss files that a pull is still replacing.
  let busy = false;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    // All waiting calls wake up at once, but only the first one finds `busy` false. The others wait again.
    while (busy) await condition(() => !busy);
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  };

  let everyMs = input.pullEveryMs;
  let { conditions } = input;
  const exported = () => (exporting.state.at === undefined ? undefined : exporting.state);
  setHandler(
    pullNow,
    (settings) => {
      loop.requested = true;
      everyMs = intervalOf(settings, everyMs);
    },
    { description: 'Look for a new generation and pull it' },
  );
  handleInternalSignals([
    reportConditions,
    (message) => (conditions = reportedConditions(message)?.conditions ?? conditions),
  ]);
  setHandler(
    pullState,
    () => ({ cluster: input.cluster, ...loop.state, export: exported(), ...(conditions && { conditions }) }),
    {
      description: 'What the last pull did',
    },
  );
  setHandler(leavePrimaryUpdate, ({ dryRun = false }: LeavePrimaryInput = {}) =>
    alone(async () => {
      const what = `${input.cluster} ${dryRun ? 'would leave' : 'leaves'}`;
      const left = await leavePrimary.executeWithOptions({ summary: what }, [{ dryRun }]);
      if (!dryRun) loop.requested = true;
      return left;
    }),
  );
  const enter = (how: EnterPrimaryInput, what: string) =>
    alone(async () => {
      const entered = await enterPrimary.executeWithOptions({ summary: `${input.cluster} ${what}` }, [how]);
      loop.requested = true;
      return entered;
    });
  setHandler(enterPrimaryUpdate, () => enter({ withoutWaiting: false }, 'enters'));
  setHandler(skipWaitingUpdate, () => enter({ withoutWaiting: true }, 'enters without waiting'));
  setHandler(acceptFederationUpdate, ({ federation }) =>
    enter({ acceptFederation: federation }, `accepts federation ${federation}`),
  );
  setHandler(addOwnNameUpdate, (name) =>
    addOwnName.executeWithOptions({ summary: 'add an own name' }, [name]),
  );
  setHandler(primaryStatusUpdate, () =>
    primaryStatus.executeWithOptions({ summary: "the volume's primary state" }, []),
  );

  while (!workflowInfo().continueAsNewSuggested) {
    let exports: boolean | undefined;
    await nextAttempt(loop, 'pull', everyMs, () =>
      alone(async () => {
        const pulled = await pullAndIngest(input.cluster);
        exports = pulled.exports;
        // An export that fails does not make the pull fail: the primary serves what it has pulled.
        if (exports === true) await nextAttempt(exporting, 'export', everyMs, exportServed);
        else if (exports === false) exporting.state = {};
        return pulled.summary;
      }),
    );
    // The next pull repeats a failed export, even if it finds nothing new. So it must not wait for the whole interval.
    const isExportDue = exports === true && exporting.state.error !== undefined;
    await condition(
      () => loop.requested,
      isExportDue ? Math.min(loop.waitMs, exporting.waitMs) : loop.waitMs,
    );
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof pull>({
    ...input,
    pullEveryMs: everyMs,
    state: loop.state,
    exported: exported(),
    conditions,
  });
}

/**
 * Pulls the newest generation to the volume, then loads it into the query tables. `exports` says whether the generation
 * must then be exported; undefined if there was nothing to load.
 */
async function pullAndIngest(cluster: string): Promise<{ summary: PullSummary; exports?: boolean }> {
  const summary = await pullCombined.executeWithOptions({ summary: `pull to ${cluster}` }, []);
  const { state, generation } = summary;
  if ((state === 'pulled' || state === 'up-to-date') && generation !== undefined) {
    const { exports = false } = await ingestCombined.executeWithOptions(
      { summary: `ingest generation ${generation}` },
      [{ generation }],
    );
    return { summary, exports };
  }
  return { summary };
}

/** Exports the windows that the primary serves. */
function exportServed(): Promise<ExportedGeneration> {
  return exportCombined.executeWithOptions({ summary: 'export what is served' }, []);
}
