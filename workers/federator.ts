import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import {
  createFederationActivities,
  createMergeActivities,
  type FederationActivities,
} from '../activities/federation-activities';
import type { FederationDependencies } from '../activities/federation-dependencies';
import { startMergeThreads } from '../activities/threads/merge-threads';
import { programVersion } from '../config/program-version';
import { errorLine } from '../errors/error-line';
import { FederationError } from '../errors/federation-error';
import type { EarlierRoster } from '../federation/earlier-roster';
import type { RosterRules } from '../federation/membership';
import { promptly } from '../operator/promptly';
import { unsafeWithoutCondition } from '../storage/conditional-create';
import { pullNow, type RosterState, rosterState, rulesOf } from '../workflows/messages';
import { temporalContext } from './as-activity';
import { mergeMemory, mergeSlots, mostUnpacked } from './capacity';
import { watchSilence } from './cluster-silence';
import { awaitEarlierRuns } from './earlier-runs';
import { ensureFederateOnPush } from './federate-on-push';
import { FederationEnds } from './federation-ends';
import { federatorNeeds, startRoster } from './federator-workflows';
import { watchLastFederations } from './last-federations';
import { writeMissingReports } from './missing-reports';
import { watchNewestGeneration } from './newest-generation';
import { watchOtherFederators } from './other-federators';
import type { RoleContext, StartedRole } from './role';
import { ensureSchedule, jitterOf } from './schedule';
import { ensureSearchAttributes } from './search-attributes';
import { createWorker } from './workers';

/**
 * Maximum number of activities (other than merges) that run at once. Many may run, because they mostly wait for the
 * bucket.
 */
const lightActivities = 20;

/**
 * Starts the federator: serves federations, merges and the roster workflow, and creates or updates the schedule. Throws
 * ROSTER_BOUND_ELSEWHERE, before anything is served, if the namespace already serves the federation of another bucket.
 */
export async function startFederator(context: RoleContext): Promise<StartedRole> {
  const { settings, bucket, client, connection, names, log } = context;
  await ensureSearchAttributes(connection, settings.temporal.namespace);
  await startRoster(context);
  const threads = startMergeThreads();
  const deps: FederationDependencies = {
    bucket,
    federator: settings.clusterId,
    program: programVersion(),
    scope: settings.federator.scope,
    generations: settings.federator.generations,
    shrinkage: settings.federator.shrinkage,
    threads,
    roster: () => readRoster(context),
    log: log.child({ role: 'federator' }),
    now: () => new Date(),
    heartbeat: temporalContext.heartbeat,
    signal: () => temporalContext.signal,
    storeWarnings: async () =>
      (await context.conditionalCreate({ signal: temporalContext.signal })) === 'kept'
        ? []
        : [unsafeWithoutCondition],
  };
  const ends = new FederationEnds(deps.log, context.metrics);
  const reported = new Set<string>();
  const { idPrefix } = settings.temporal;
  const light: FederationActivities = {
    ...createFederationActivities(deps),
    awaitEarlierRuns: async (input) => {
      const waited = await awaitEarlierRuns(client, { ...input, idPrefix }, temporalContext);
      await completeReports(context, ends, reported);
      return waited;
    },
    readEarlierRoster: ({ runId }) => readEarlierRoster(context, runId),
    notifyPrimaries: () => notifyPrimaries(context),
  };
  const workers = [
    await createWorker(context, {
      taskQueue: names.federationQueue,
      activities: light,
      workflows: true,
      sinks: ends.sinks(),
      maxConcurrentActivityTaskExecutions: lightActivities,
    }),
    await createWorker(context, {
      taskQueue: names.mergeQueue,
      activities: createMergeActivities({
        ...deps,
        mergeMemory: mergeMemory(),
        mostUnpacked: mostUnpacked(),
      }),
      workflows: false,
      maxConcurrentActivityTaskExecutions: mergeSlots(),
    }),
  ];
  const stopWatching: (() => void)[] = [];
  const { firstRunAfterMs, runEveryMs } = settings.federator;
  const schedule = { idPrefix, firstRunAfterMs, runEveryMs, jitterMs: jitterOf(settings.federator) };
  return {
    workers,
    needs: federatorNeeds(context, schedule),
    begin: async () => {
      stopWatching.push(
        watchLastFederations(context),
        watchNewestGeneration(context),
        watchOtherFederators(context),
        watchSilence(context),
      );
      await ensureSchedule(client, schedule, log);
      await ensureFederateOnPush(context);
    },
    close: () => {
      for (const stop of stopWatching) stop();
      return threads.close();
    },
  };
}

/**
 * Writes the reports that earlier runs could not write. A run that died executed no code at its end, so its end is
 * logged and counted here. An error is only logged: the current run can do its work without these reports.
 */
async function completeReports(
  { bucket, client, settings, log }: RoleContext,
  ends: FederationEnds,
  reported: Set<string>,
): Promise<void> {
  const { signal } = temporalContext;
  const { idPrefix } = settings.temporal;
  try {
    const input = { bucket, client, idPrefix, now: new Date(), reported };
    const written = await writeMissingReports(input, signal);
    for (const { died, report } of written) if (died) ends.ended(report.run, report.outcome, report.error);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(
      { event: 'federation.reports-missing', reason: error },
      'Federator could not complete the reports of earlier runs; the next run tries again',
    );
  }
}

const rosterPatienceMs = 60_000;

/**
 * Returns the current exclusions and the id of the roster workflow, both from the same answer. Waits up to a minute if
 * Temporal has lost the workflow, or if the workflow has not loaded the exclusions yet.
 */
async function readRoster({ client, names }: RoleContext): Promise<RosterRules> {
  const until = Date.now() + rosterPatienceMs;
  for (;;) {
    const state = await queryRoster(client, names.roster);
    if (state?.loaded) return rulesOf(state);
    if (Date.now() > until) {
      throw new FederationError('GENERATION_UNREADABLE', {
        detail:
          state === undefined
            ? 'Temporal has lost the roster; the federator starts it again within minutes.'
            : 'The roster has not loaded the exclusions yet.',
        retryable: true,
      });
    }
    await sleep(500);
  }
}

/** Queries the state of the roster workflow. Returns undefined if Temporal knows no such workflow. */
async function queryRoster(client: Client, workflowId: string): Promise<RosterState | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).query<RosterState>(rosterState);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

const earlierRosterAnswersWithinMs = 15_000;

/** Queries a roster that has ended. To answer, a federator's worker replays the history of that roster. */
function readEarlierRoster({ client, names }: RoleContext, runId: string): Promise<EarlierRoster> {
  const roster = client.workflow.getHandle(names.roster, runId);
  return promptly(client, earlierRosterAnswersWithinMs, () => roster.query<RosterState>(rosterState));
}

/**
 * Signals all primaries to pull. A primary that misses the signal finds the new generation at its next regular check.
 */
async function notifyPrimaries({ client, names, log }: RoleContext): Promise<{ notified: number }> {
  const { primaries = [] } = (await queryRoster(client, names.roster)) ?? {};
  let notified = 0;
  for (const cluster of primaries) {
    try {
      await client.workflow.getHandle(names.pull(cluster)).signal(pullNow, {});
      notified += 1;
    } catch (error) {
      // Continue with the other primaries if one cannot be notified.
      const reason =
        error instanceof WorkflowNotFoundError ? 'its pull workflow does not run' : errorLine(error);
      log.warn(
        { event: 'primary.not-notified', cluster, reason },
        `PrimaryCluster[${cluster}] was not notified: ${reason}`,
      );
    }
  }
  return { notified };
}
