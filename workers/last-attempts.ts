import { WorkflowNotFoundError } from '@temporalio/client';
import { withOwnHint } from '../errors/hints';
import { type Finding, freshFor, judgeFreshness } from '../federation/conditions';
import { promptly } from '../operator/promptly';
import type { Attempted, PullState, PushState } from '../workflows/messages';
import { everyMinute } from './every-minute';
import type { RoleContext } from './role';

const answerWithinMs = 10_000;
/** A push or pull is overdue after this time at the earliest, in milliseconds. */
const leastFreshMs = 3_600_000;

/**
 * Returns the time of the last successful push or pull, in milliseconds since the epoch. After a failure, that time is
 * no longer known. The function then returns the time of the first failure since the last success, which is not much
 * later. Returns undefined if there was no attempt yet.
 */
export function lastSuccess({ at, error }: Attempted<unknown>): number | undefined {
  const time = error?.since ?? at;
  return time === undefined ? undefined : Date.parse(time);
}

/** When the last activity of this process ended, in milliseconds since the epoch. */
export class ActivityEnds {
  last = -Infinity;

  note(): void {
    this.last = Date.now();
  }
}

/**
 * An answer of a push or pull workflow is kept for at most this time, in milliseconds. It is well below `leastFreshMs`.
 */
const longestKeptMs = 900_000;
/**
 * Time after which a workflow has surely taken note of the end of an activity, in milliseconds. An answer that is
 * younger than that may still be the one from before.
 */
const settledAfterMs = 5_000;

/**
 * Returns whether a workflow has to be asked again that last answered at `askedAt`: an activity has ended since, or the
 * answer is old. `activityEndedAt` is the time when the last activity ended. All times are in milliseconds.
 */
export function isAnswerOld(askedAt: number, activityEndedAt: number, now: number): boolean {
  return activityEndedAt + settledAfterMs > askedAt || now - askedAt >= longestKeptMs;
}

/**
 * Keeps the metrics and conditions about the last push and the last pull of this cluster up to date. Looks every minute.
 * Only the push and pull workflows remember what happened before this process started, so asks them at the start. Each
 * query is a paid action in Temporal Cloud, so asks again only after an activity of this process has ended, and every
 * quarter of an hour, as another process of the cluster may have worked. Before the first attempt, uses the time at
 * which the workflow was started. Returns a function that stops these updates.
 */
export function watchLastAttempts(context: RoleContext, activities: ActivityEnds): () => void {
  const look = lookAtAttempts(context, activities);
  return everyMinute(context.log, 'when the last push and pull succeeded', look);
}

interface LastAttempt<State extends Attempted<unknown>> {
  readonly at: number;
  readonly state: State;
}

/**
 * Returns a function that asks the workflows about the last push and the last pull, if there may be a new one, and
 * updates the metrics and conditions.
 */
export function lookAtAttempts(
  { settings, client, names, metrics, conditions }: RoleContext,
  activities: ActivityEnds,
): () => Promise<void> {
  const { clusterId: cluster, roles } = settings;

  async function ask<State extends Attempted<unknown>>(
    workflowId: string,
  ): Promise<LastAttempt<State> | undefined> {
    const handle = client.workflow.getHandle(workflowId);
    try {
      return await promptly(client, answerWithinMs, async () => {
        const state = await handle.query<State>('state');
        return { at: lastSuccess(state) ?? (await handle.describe()).startTime.getTime(), state };
      });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Returns a function that returns the last attempt of a workflow. Does not keep a missing answer. */
  function lastOf<State extends Attempted<unknown>>(
    workflowId: string,
  ): () => Promise<LastAttempt<State> | undefined> {
    let kept: { readonly askedAt: number; readonly last: LastAttempt<State> } | undefined;
    return async () => {
      const now = Date.now();
      if (kept !== undefined && !isAnswerOld(kept.askedAt, activities.last, now)) return kept.last;
      kept = undefined;
      const last = await ask<State>(workflowId).catch(unknown);
      if (last !== undefined) kept = { askedAt: now, last };
      return last;
    };
  }

  const lastPush = lastOf<PushState>(names.push(cluster));
  const lastPull = lastOf<PullState>(names.pull(cluster));
  return async () => {
    if (roles.federatedCluster) {
      const pushed = await lastPush();
      if (pushed !== undefined) metrics.pushedAt(pushed.at);
      const limitMs = freshFor(settings.localEtl.rescanEveryMs, leastFreshMs);
      const why = failureText(pushed?.state.error);
      conditions.found(
        'federatedCluster',
        'freshness',
        judgeFreshness({ last: pushed?.at, limitMs, what: 'No push', why }, Date.now()),
      );
    }
    if (roles.primaryCluster) {
      const pulled = await lastPull();
      if (pulled !== undefined) metrics.pulledAt(pulled.at);
      const exported = pulled?.state.export?.summary?.generation;
      if (exported !== undefined) metrics.exportedUpTo(exported);
      const limitMs = freshFor(settings.pull.everyMs, leastFreshMs);
      conditions.found('primaryCluster', 'freshness', judgePull(pulled, limitMs, Date.now()));
      conditions.found('primaryCluster', 'export', judgeExport(settings.export.enabled, pulled?.state));
    }
  };
}

function unknown(): undefined {
  return undefined;
}

function failureText(error: Attempted<unknown>['error']): string | undefined {
  return error && `The last attempt failed: ${withOwnHint(error)}`;
}

/**
 * Judges the last pull. If the pull refused the bucket, the condition does not hold: such a pull does not fail, but it
 * pulls nothing.
 */
export function judgePull(
  pulled: { readonly at: number; readonly state: PullState } | undefined,
  limitMs: number,
  now: number,
): Finding {
  const { summary, error } = pulled?.state ?? {};
  const { refused } = summary ?? {};
  if (refused !== undefined)
    return { holds: 'no', reason: `The pull refuses the bucket: ${refused.code}: ${refused.detail}` };
  return judgeFreshness({ last: pulled?.at, limitMs, what: 'No pull', why: failureText(error) }, now);
}

/** Judges the last export. Before the first export, the condition is unknown. */
export function judgeExport(isEnabled: boolean, state: Pick<PullState, 'export'> | undefined): Finding {
  if (!isEnabled) return { holds: 'yes', reason: 'none is configured' };
  if (state?.export === undefined) return { holds: 'unknown' };
  const { error } = state.export;
  if (error === undefined) return { holds: 'yes' };
  return {
    holds: 'no',
    reason: `The export has failed since ${error.since}: ${error.code}: ${error.message}`,
  };
}
