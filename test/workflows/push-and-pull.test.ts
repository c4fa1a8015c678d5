import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { FederationError } from '../../errors/federation-error';
import {
  leavePrimaryUpdate,
  primaryStatusUpdate,
  pullNow,
  pullState,
  pushNow,
  pushState,
} from '../../workflows/messages';
import type { pull } from '../../workflows/pull';
import type { push } from '../../workflows/push';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { pulled, pushed } from './doubles';
import { WorkflowWorld } from './workflow-world';

const accessDenied = new FederationError('STORAGE_ACCESS_DENIED', {
  detail: 'Access to the bucket is denied.',
});
const anHour = 3_600_000;
const exportedAll = { generation: 7, windows: 1, written: 1, unchanged: 0, removed: 0 };

let world: WorkflowWorld;
let handle: WorkflowHandle;
beforeAll(async () => {
  world = await WorkflowWorld.open();
});
afterAll(() => world?.[Symbol.asyncDispose]());
afterEach(() => handle.terminate());

async function startPush(): Promise<WorkflowHandle<typeof push>> {
  const input = { cluster: 'c1', instance: 'volume-1', rescanEveryMs: anHour };
  const options = world.options();
  await world.client.workflow.start<typeof push>('push', { ...options, args: [input] });
  const started = world.client.workflow.getHandle<typeof push>(options.workflowId);
  handle = started;
  return started;
}

async function startPull(): Promise<WorkflowHandle<typeof pull>> {
  const options = world.options();
  await world.client.workflow.start<typeof pull>('pull', {
    ...options,
    args: [{ cluster: 'c5', pullEveryMs: anHour }],
  });
  const started = world.client.workflow.getHandle<typeof pull>(options.workflowId);
  handle = started;
  return started;
}

/**
 * Sends a few very large signals. They make the history so large that the server suggests continuing as new. In
 * normal operation, this takes months.
 */
async function growLarge(signal: string): Promise<void> {
  for (let at = 0; at < 4; at++) {
    await handle.signal(signal, 'x'.repeat(1_700_000));
    // Wait until the signal is handled: several such signals would be too large for one workflow task.
    await handle.query('state');
  }
}

/**
 * Returns the durations of all timers that the workflow has started, in seconds. The workflow starts a timer whenever
 * it has nothing to do.
 */
async function waits(): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
    timer ? [Number(timer.startToFireTimeout?.seconds)] : [],
  );
}

/** Returns whether a duration in whole seconds differs from the expected one by at most 10 %. */
function isAbout(wait: number | undefined, seconds: number): boolean {
  return wait !== undefined && wait >= Math.floor(seconds * 0.9) && wait <= seconds * 1.1;
}

/**
 * Payloads of `push` signals. The first one contains valid settings. The workflow must ignore the others, which are
 * mistakes that an operator could make.
 */
const settings = [
  { everyMs: 7_200_000 },
  null,
  'soon',
  {},
  { everyMs: 'often' },
  { everyMs: -1 },
  { everyMs: null },
];

describeWithTemporal('push', () => {
  test('a start states whether the cluster uses the store of Kubecost’s backup, and the memo has the last statement', async () => {
    const pushing = await startPush();
    const memo = async () => {
      // When the workflow answers this query, it has handled all earlier signals.
      await pushing.query(pushState);
      return (await pushing.describe()).memo?.['existingConfig'];
    };
    expect(await memo()).toBeUndefined();
    await pushing.signal(pushNow, { existingConfig: true });
    expect(await memo()).toBe(true);
    await pushing.signal(pushNow, { everyMs: 5_000 });
    await pushing.signal<[never]>('push', { existingConfig: 'perhaps' } as never);
    expect(await memo()).toBe(true);
    await pushing.signal(pushNow, { existingConfig: false });
    expect(await memo()).toBe(false);
  });

  it('pushes at its start and once for all changes during a push', async () => {
    const gate = Promise.withResolvers<void>();
    world.begin({ pushLocalEtl: () => gate.promise.then(() => pushed) });
    const started = await startPush();
    await world.untilCalled('pushLocalEtl');
    for (let at = 0; at < 5; at++) await started.signal(pushNow);
    gate.resolve();
    await world.untilCalled('pushLocalEtl', 2);
    const state = await until('the end of a push', async () => {
      const found = await started.query(pushState);
      return found.summary && found;
    });
    expect(state).toEqual({ cluster: 'c1', instance: 'volume-1', at: expect.any(String), summary: pushed });
    await started.signal(pushNow);
    await world.untilCalled('pushLocalEtl', 3);
    expect(world.inputs('pushLocalEtl')).toEqual(Array(3).fill({ instance: 'volume-1' }));
  });

  it('applies the settings of a start, and ignores invalid ones', async () => {
    world.begin();
    const started = await startPush();
    await world.untilCalled('pushLocalEtl');
    for (const [at, message] of settings.entries()) {
      await started.signal('push', message);
      await world.untilCalled('pushLocalEtl', at + 2);
    }
    await until('a wait of about two hours', async () => isAbout((await waits()).at(-1), 7_200) || undefined);
  });

  it('waits about its interval, different for each cluster, so that a fleet does not act in the same second', async () => {
    world.begin();
    const found = new Set<number>();
    for (let at = 0; at < 5; at++) {
      const started = await startPush();
      const [wait = 0] = await until('the wait', async () =>
        (await waits()).length > 0 ? waits() : undefined,
      );
      expect(isAbout(wait, 3_600)).toBe(true);
      found.add(wait);
      await started.terminate();
    }
    expect(found.size).toBeGreaterThan(1);
    await startPush();
  });

  it('continues after a failure, reports since when it lasts, and recovers', async () => {
    world.begin({ pushLocalEtl: () => Promise.reject(accessDenied) });
    const started = await startPush();
    const failed = await until('the failure', async () => (await started.query(pushState)).error);
    expect(failed).toEqual({
      code: 'STORAGE_ACCESS_DENIED',
      message: accessDenied.detail,
      since: expect.any(String),
    });
    await started.signal(pushNow);
    await world.untilCalled('pushLocalEtl', 2);
    const later = await until('the second failure', async () => {
      const state = await started.query(pushState);
      return state.at === failed.since ? undefined : state;
    });
    expect(later.error).toEqual(failed);
    // The workflow repeats the failed push after about 10 seconds, instead of waiting an hour for the next rescan.
    expect(isAbout((await waits())[0], 10)).toBe(true);
    world.become({ pushLocalEtl: async () => pushed });
    await started.signal(pushNow);
    const state = await until('the recovery', async () => {
      const found = await started.query(pushState);
      return found.summary && found;
    });
    expect(state).not.toHaveProperty('error');
  });

  it('tries again within minutes, however often it has failed and however long its interval is', async () => {
    world.begin({ pushLocalEtl: () => Promise.reject(accessDenied) });
    const started = await startPush();
    for (let failures = 1; failures < 9; failures++) {
      await world.untilCalled('pushLocalEtl', failures);
      await started.signal(pushNow);
    }
    await until('the longest wait', async () => isAbout((await waits()).at(-1), 300));
    expect(Math.max(...(await waits()))).toBeLessThanOrEqual(330);
  });

  it('continues as new with its state', async () => {
    world.begin();
    const started = await startPush();
    const { runId } = await started.describe();
    await until('the first push', async () => (await started.query(pushState)).summary);
    world.become({ pushLocalEtl: () => Promise.reject(accessDenied) });
    await growLarge('push');
    await until('another run', async () => (await started.describe()).runId !== runId || undefined);
    const state = await until('the failure', async () => {
      const found = await started.query(pushState);
      return found.error && found;
    });
    expect(state).toMatchObject({ cluster: 'c1', instance: 'volume-1', summary: pushed });
  });
});

describeWithTemporal('pull', () => {
  it('pulls at its start and when notified of a generation, and recovers from failures', async () => {
    world.begin({ pullCombined: () => Promise.reject(accessDenied) });
    const started = await startPull();
    await until('the failure', async () => (await started.query(pullState)).error);
    world.become({ pullCombined: async () => pulled });
    await started.signal(pullNow);
    const state = await until('the pull', async () => {
      const found = await started.query(pullState);
      return found.summary && found;
    });
    expect(state).toEqual({ cluster: 'c5', at: expect.any(String), summary: pulled });
  });

  it('shows since when the export fails, goes on pulling, and exports again', async () => {
    world.begin({
      ingestCombined: async () => ({ files: 0, ingested: 0, rows: 0, exports: true }),
      exportCombined: () => Promise.reject(accessDenied),
    });
    const started = await startPull();
    const failed = await until('the failure', async () => (await started.query(pullState)).export);
    const { code, detail: message } = accessDenied;
    expect(failed).toEqual({ at: expect.any(String), error: { code, message, since: failed.at } });
    expect(await started.query(pullState)).toMatchObject({ summary: pulled });
    expect(await started.query(pullState)).not.toHaveProperty('error');
    await started.signal(pullNow);
    await world.untilCalled('exportCombined', 2);
    const still = await until('the second failure', async () => {
      const { export: exported } = await started.query(pullState);
      return exported?.at === failed.at ? undefined : exported;
    });
    expect(still.error).toEqual(failed.error);
    // The workflow repeats the failed export after 10 seconds, then after 20, instead of waiting an hour.
    await until('the second wait', async () => isAbout((await waits())[1], 20));
    expect(isAbout((await waits())[0], 10)).toBe(true);
    world.become({ exportCombined: async () => exportedAll });
    await started.signal(pullNow);
    const done = await until('the export', async () => {
      const { export: exported } = await started.query(pullState);
      return exported?.summary && exported;
    });
    expect(done).toEqual({ at: expect.any(String), summary: exportedAll });
    await until('a wait of about an hour', async () => isAbout((await waits()).at(-1), 3_600));
  });

  it('exports nothing unless the settings want it', async () => {
    world.begin();
    const started = await startPull();
    await until('the pull', async () => (await started.query(pullState)).summary);
    expect(world.names()).toEqual(['pullCombined', 'ingestCombined']);
  });

  it('never pulls, leaves and enters at the same time', async () => {
    let [now, most] = [0, 0];
    const gate = Promise.withResolvers<void>();
    const alone = async (work: () => Promise<unknown>) => {
      most = Math.max(most, ++now);
      await work();
      await sleep(20);
      now -= 1;
    };
    world.begin({
      pullCombined: () => alone(() => gate.promise).then(() => pulled),
      leavePrimary: () => alone(async () => undefined).then(() => left),
      enterPrimary: () => alone(async () => undefined).then(() => ({ entered: true })),
    });
    const started = await startPull();
    await world.untilCalled('pullCombined');
    const waitForStage = 'ACCEPTED';
    const leave = await started.startUpdate(leavePrimaryUpdate, { args: [{}], waitForStage });
    const enter = await started.startUpdate('enterPrimary', { waitForStage });
    const leaveAgain = await started.startUpdate(leavePrimaryUpdate, { args: [{}], waitForStage });
    await started.signal(pullNow);
    // The workflow must answer this update even during a pull.
    expect(await started.executeUpdate(primaryStatusUpdate)).toMatchObject({ state: 'pulling' });
    expect(world.names()).toEqual(['pullCombined', 'primaryStatus']);
    gate.resolve();
    expect(await Promise.all([leave.result(), enter.result(), leaveAgain.result()])).toEqual([
      left,
      { entered: true },
      left,
    ]);
    await world.untilCalled('pullCombined', 2);
    expect(most).toBe(1);
  });

  it('pulls after it left or entered, and reports if it could not', async () => {
    world.begin();
    const started = await startPull();
    await world.untilCalled('pullCombined');
    await started.executeUpdate('enterPrimary');
    await world.untilCalled('pullCombined', 2);
    world.become({ leavePrimary: () => Promise.reject(accessDenied) });
    await expect(started.executeUpdate(leavePrimaryUpdate, { args: [{}] })).rejects.toMatchObject({
      cause: { cause: { type: 'STORAGE_ACCESS_DENIED' } },
    });
    expect(await started.query(pullState)).toMatchObject({ summary: pulled });
  });

  it('continues as new with its state', async () => {
    world.begin();
    const started = await startPull();
    const { runId } = await started.describe();
    await until('the first pull', async () => (await started.query(pullState)).summary);
    const gate = Promise.withResolvers<void>();
    world.become({ pullCombined: () => gate.promise.then(() => pulled) });
    await growLarge('pull');
    gate.resolve();
    await until('another run', async () => (await started.describe()).runId !== runId || undefined);
    expect(await started.query(pullState)).toMatchObject({ cluster: 'c5', summary: pulled });
  });
});

const left = {
  fromFolder: 1,
  fromBackup: 0,
  own: 0,
  restored: { count: 1, examples: [] },
  removed: { count: 0, examples: [] },
};
