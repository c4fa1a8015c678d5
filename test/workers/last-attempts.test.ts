import { Registry } from 'prom-client';
import { silentLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { Readiness } from '../../workers/health';
import { lastSuccess, watchLastAttempts } from '../../workers/last-attempts';
import { registerRoleMetrics } from '../../workers/metrics';
import type { RoleContext } from '../../workers/role';
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

  /**
   * Returns the time of the last push, in milliseconds since the epoch, as the metric of a newly started process shows
   * it.
   */
  async function shownAfterStart(cluster: string): Promise<number> {
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
    const stop = watchLastAttempts(context as unknown as RoleContext);
    try {
      return await until('the metric', async () => {
        const text = await registry.metrics();
        const [, seconds] = /^federated_etl_last_push_timestamp_seconds (\S+)$/m.exec(text) ?? [];
        return seconds === undefined ? undefined : Math.round(Number(seconds) * 1_000);
      });
    } finally {
      stop();
    }
  }

  it('is known after a restart, also if no push has ever succeeded', async () => {
    const first = Promise.withResolvers<never>();
    world.begin({ pushLocalEtl: () => first.promise });
    const cluster = 'c1';
    await world.client.workflow.start<typeof push>('push', {
      ...world.options(),
      workflowId: names('').push(cluster),
      args: [{ cluster, instance: 'volume-1', rescanEveryMs: 3_600_000 }],
    });
    const handle = world.client.workflow.getHandle<typeof push>(names('').push(cluster));
    await world.untilCalled('pushLocalEtl');
    const { startTime } = await handle.describe();
    expect(await shownAfterStart(cluster)).toBe(startTime.getTime());
    first.reject(new FederationError('STORAGE_ACCESS_DENIED', { detail: 'Access denied.' }));
    const failed = await until('the failure', async () => {
      const state = await handle.query<{ error?: { since: string } }, []>('state');
      return state.error?.since;
    });
    expect(await shownAfterStart(cluster)).toBe(Date.parse(failed));
    await handle.terminate();
  });
});
