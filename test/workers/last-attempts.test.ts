import { Registry } from 'prom-client';
import { silentLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { Readiness } from '../../workers/health';
import { ActivityEnds, isAnswerOld, lastSuccess, lookAtAttempts } from '../../workers/last-attempts';
import { registerRoleMetrics } from '../../workers/metrics';
import type { RoleContext } from '../../workers/role';
import { pushNow } from '../../workflows/messages';
import { names } from '../../workflows/names';
import type { push } from '../../workflows/push';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { pushed } from '../workflows/doubles';
import { WorkflowWorld } from '../workflows/workflow-world';

const at = '2026-11-20T10:05:00.000Z';
const since = '2026-11-20T09:00:00.000Z';
const error = { code: 'STORAGE_ACCESS_DENIED', message: '', since };

test('a push or pull has not succeeded since its last success, or since it began to fail', () => {
  expect(lastSuccess({})).toBeUndefined();
  expect(lastSuccess({ at, summary: pushed })).toBe(Date.parse(at));
  expect(lastSuccess({ at, summary: pushed, error })).toBe(Date.parse(since));
  expect(lastSuccess({ at, error })).toBe(Date.parse(since));
});

describeWithTemporal('the time of the last push', () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await WorkflowWorld.open();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  /** Returns a newly started process of the cluster that looks at its attempts. */
  function startProcess(cluster: string) {
    const registry = new Registry();
    const roles = { federatedCluster: true, federator: false, primaryCluster: false };
    const readiness = new Readiness(roles);
    const context = {
      settings: { clusterId: cluster, roles, localEtl: { rescanEveryMs: 300_000 } },
      client: world.client,
      names: names(''),
      log: silentLog,
      metrics: registerRoleMetrics(registry, readiness),
      conditions: readiness.conditions,
    };
    const activities = new ActivityEnds();
    const look = lookAtAttempts(context as unknown as RoleContext, activities);
    return {
      activities,
      /** Looks once. Returns the time of the last push as the metric shows it, in milliseconds since the epoch. */
      shown: async () => {
        await look();
        const text = await registry.metrics();
        const [, seconds] = /^federated_etl_last_push_timestamp_seconds (\S+)$/m.exec(text) ?? [];
        return Math.round(Number(seconds) * 1_000);
      },
    };
  }

  function startPush(cluster: string) {
    return world.client.workflow.start<typeof push>('push', {
      ...world.options(),
      workflowId: names('').push(cluster),
      args: [{ cluster, instance: 'volume-1', rescanEveryMs: 3_600_000 }],
    });
  }

  it('is known after a restart, also if no push has ever succeeded', async () => {
    const first = Promise.withResolvers<never>();
    world.begin({ pushLocalEtl: () => first.promise });
    const cluster = 'c1';
    await startPush(cluster);
    const handle = world.client.workflow.getHandle<typeof push>(names('').push(cluster));
    await world.untilCalled('pushLocalEtl');
    const { startTime } = await handle.describe();
    expect(await startProcess(cluster).shown()).toBe(startTime.getTime());
    first.reject(new FederationError('STORAGE_ACCESS_DENIED', { detail: 'Access denied.' }));
    const failed = await until('the failure', async () => {
      const state = await handle.query<{ error?: { since: string } }, []>('state');
      return state.error?.since;
    });
    expect(await startProcess(cluster).shown()).toBe(Date.parse(failed));
    await handle.terminate();
  });

  it('is asked for again only after an activity of the process has ended', async () => {
    world.begin();
    const cluster = 'c2';
    await startPush(cluster);
    const handle = world.client.workflow.getHandle<typeof push>(names('').push(cluster));
    const attemptAfter = (before: number) =>
      until('the attempt', async () => {
        const { at = '' } = await handle.query<{ at?: string }, []>('state');
        return Date.parse(at) > before ? Date.parse(at) : undefined;
      });
    const first = await attemptAfter(0);
    const process = startProcess(cluster);
    expect(await process.shown()).toBe(first);
    await handle.signal(pushNow);
    const second = await attemptAfter(first);
    expect(await process.shown()).toBe(first);
    process.activities.note();
    expect(await process.shown()).toBe(second);
    await handle.terminate();
  });
});

test.each([
  ['no activity has ended since', 100_000, 90_000, 160_000, false],
  ['an activity has ended since', 100_000, 130_000, 160_000, true],
  ['the workflow may not have noticed the end of an activity', 100_000, 99_000, 160_000, true],
  ['the answer is a quarter of an hour old', 100_000, 90_000, 1_000_000, true],
])('asks a workflow again: %s', (_, askedAt, endedAt, now, isOld) => {
  expect(isAnswerOld(askedAt, endedAt, now)).toBe(isOld);
});
