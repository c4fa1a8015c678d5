import {
  Client,
  ScheduleAlreadyRunning,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { Log } from '../config/log';
import { keyIdOf } from '../config/payload-encryption';
import { readSchedule } from '../operator/read-schedule';
import type { FederationInput } from '../workflows/federation';
import { names } from '../workflows/names';
import { requestMemo } from '../workflows/request-memo';

export interface FederationSchedule {
  readonly idPrefix: string;
  readonly firstRunAfterMs: number;
  readonly runEveryMs: number;
  /** Maximum time by which a run may start early, in milliseconds. The actual time is random. (Default: 0) */
  readonly jitterMs?: number;
}

const longestJitterMs = 60_000;

/**
 * Returns the jitter of a schedule, in milliseconds. Without jitter, federators that were started together would always
 * start their federations in the same second.
 */
export function jitterOf({
  firstRunAfterMs,
  runEveryMs,
}: Pick<FederationSchedule, 'firstRunAfterMs' | 'runEveryMs'>): number {
  return Math.min(firstRunAfterMs / 10, runEveryMs / 10, longestJitterMs);
}

/**
 * Creates or updates the schedule that starts federations. The next run is at most `firstRunAfterMs` away. Later runs
 * follow every `runEveryMs`. Preserves an operator's pause and note.
 *
 * If a schedule with the same interval and jitter exists, and its next run is due even earlier, does not postpone that
 * run. Otherwise, a process that keeps crashing would postpone it at each start, and would never federate.
 */
export async function ensureSchedule(
  client: Client,
  wanted: FederationSchedule,
  log: Log,
  now = Date.now(),
): Promise<void> {
  const scheduleId = names(wanted.idPrefix).schedule;
  const anchored = scheduleOptions(wanted, now);
  if (await createSchedule(client, wanted, now)) {
    log.info(
      { event: 'schedule.created' },
      `Federator first run in ${minutes(wanted.firstRunAfterMs)}, then every ${minutes(wanted.runEveryMs)}`,
    );
    return;
  }
  const handle = client.schedule.getHandle(scheduleId);
  const found = await handle.describe();
  const next = found.info.nextActionTimes[0]?.getTime();
  const every = found.spec.intervals?.[0]?.every;
  const keep =
    next !== undefined &&
    next <= now + wanted.firstRunAfterMs &&
    every === wanted.runEveryMs &&
    (found.spec.jitter ?? 0) === anchored.spec.jitter;
  // Always replace the action: the previous version of this program may have started federations differently.
  await handle.update((previous) => ({
    ...anchored,
    spec: keep ? { ...anchored.spec, intervals: previous.spec.intervals } : anchored.spec,
    state: previous.state,
  }));
  if (keep) {
    log.info({ event: 'schedule.kept' }, `Federator next run at ${new Date(next).toISOString()}`);
  } else {
    log.info(
      { event: 'schedule.anchored' },
      `Federator next run in ${minutes(wanted.firstRunAfterMs)}, then every ${minutes(wanted.runEveryMs)}`,
    );
  }
  if (found.state.paused) {
    log.warn(
      { event: 'schedule.paused', note: found.state.note },
      `The federation schedule is paused: ${found.state.note ?? 'no note'}`,
    );
  }
}

/**
 * Creates the schedule again if it no longer exists. The first run then starts after `firstRunAfterMs`. Changes nothing
 * but the encryption of an existing schedule, because a person or another federator may have chosen its interval.
 * `restored` says whether the schedule was created. `paused` is set if it exists and is paused.
 */
export async function restoreSchedule(
  client: Client,
  wanted: FederationSchedule,
): Promise<{ readonly restored: boolean; readonly paused?: { readonly note: string } }> {
  const found = await readSchedule(client, names(wanted.idPrefix).schedule);
  if (found === 'absent') return { restored: await createSchedule(client, wanted, Date.now()) };
  await encryptAction(client, wanted);
  return { restored: false, ...(found.paused && { paused: found.paused }) };
}

/**
 * Encrypts the schedule's action with the first key, unless that is how it is encrypted. Temporal does not do this when
 * it starts runs: it copies the action as it is.
 */
async function encryptAction(client: Client, wanted: FederationSchedule): Promise<void> {
  const keyId = await encryptingKey(client);
  if (keyId === undefined) return;
  const scheduleId = names(wanted.idPrefix).schedule;
  const { namespace } = client.options;
  const { schedule } = await client.workflowService.describeSchedule({ namespace, scheduleId });
  const { input, memo } = schedule?.action?.startWorkflow ?? {};
  const payloads = [...(input?.payloads ?? []), ...Object.values(memo?.fields ?? {})];
  if (payloads.every((payload) => keyIdOf(payload) === keyId)) return;
  const { action } = scheduleOptions(wanted, Date.now());
  await client.schedule.getHandle(scheduleId).update((previous) => ({ ...previous, action }));
}

/** Returns the id of the key with which a client encrypts. Returns undefined if it does not encrypt. */
async function encryptingKey({ options }: Client): Promise<string | undefined> {
  let payloads: Payload[] = [{}];
  for (const codec of options.loadedDataConverter.payloadCodecs) payloads = await codec.encode(payloads);
  return payloads.map(keyIdOf)[0];
}

/** Creates the schedule. Returns false if there is one already. */
async function createSchedule(client: Client, wanted: FederationSchedule, now: number): Promise<boolean> {
  const scheduleId = names(wanted.idPrefix).schedule;
  try {
    await client.schedule.create({ scheduleId, ...scheduleOptions(wanted, now) });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/**
 * Returns the options of the schedule. Temporal counts intervals from the epoch, so `offset` shifts them to make the
 * first run due `firstRunAfterMs` from now. Temporal also delays each run by a random time up to the jitter. So that no
 * run is late, `offset` is reduced by the jitter.
 */
function scheduleOptions(
  { idPrefix, firstRunAfterMs, runEveryMs, jitterMs = 0 }: FederationSchedule,
  now: number,
) {
  const { schedule, federationQueue } = names(idPrefix);
  const input: FederationInput = { idPrefix, request: { trigger: 'schedule' } };
  return {
    spec: {
      intervals: [{ every: runEveryMs, offset: (now + firstRunAfterMs - jitterMs) % runEveryMs }],
      jitter: jitterMs,
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'federation',
      workflowId: schedule,
      taskQueue: federationQueue,
      args: [input],
      memo: requestMemo(input.request),
      workflowRunTimeout: '12h',
      staticSummary: 'Merges what clusters pushed, window by window, and commits one generation',
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // After an outage, catch up on at most one missed run. It merges everything that has arrived in the meantime.
      catchupWindow: Math.max(runEveryMs, 10_000),
      pauseOnFailure: false,
    },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
}

function minutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
