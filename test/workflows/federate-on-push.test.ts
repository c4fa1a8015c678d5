import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { FederationError } from '../../errors/federation-error';
import type { federateOnPush, FederateOnPushInput } from '../../workflows/federate-on-push';
import { pushed } from '../../workflows/messages';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { planOf } from './doubles';
import { WorkflowWorld } from './workflow-world';

let world: WorkflowWorld;
let handle: WorkflowHandle<typeof federateOnPush>;
beforeAll(async () => {
  world = await WorkflowWorld.open();
});
afterAll(() => world?.[Symbol.asyncDispose]());
afterEach(() => handle.terminate());

async function start(input: Partial<FederateOnPushInput> = {}): Promise<void> {
  const options = world.options();
  await world.client.workflow.start<typeof federateOnPush>('federateOnPush', {
    ...options,
    args: [{ idPrefix: '', gapMs: 100, ...input }],
  });
  handle = world.client.workflow.getHandle<typeof federateOnPush>(options.workflowId);
}

const { EventType } = temporal.api.enums.v1;

/**
 * Waits until the workflow has received `signals` signals, has seen `ended` of its runs end, and is idle. Returns the
 * number of runs that it has started.
 */
async function runsStarted(signals: number, ended: number): Promise<number> {
  const events = await until('the workflow is idle', async () => {
    const { events: found } = await handle.fetchHistory();
    const types = (found ?? []).map(({ eventType }) => eventType);
    const count = (type: temporal.api.enums.v1.EventType) => types.filter((one) => one === type).length;
    const timers = count(EventType.EVENT_TYPE_TIMER_STARTED) - count(EventType.EVENT_TYPE_TIMER_FIRED);
    const idle =
      types.at(-1) === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED &&
      timers === 0 &&
      count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) === signals &&
      count(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED) === ended;
    return idle ? types : undefined;
  });
  return events.filter((type) => type === EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
    .length;
}

const runs = () => world.inputs('writeReport').length;

describeWithTemporal('federation on push', () => {
  it('starts a run at once, and reports why', async () => {
    world.begin();
    // The first push must not wait for the gap, which is longer than the test may take.
    await start({ gapMs: 3_600_000 });
    await handle.signal(pushed);
    expect(await runsStarted(1, 1)).toBe(1);
    const requests = world.inputs('recordRequest');
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      run: expect.stringMatching(/^federation-.*-push$/),
      request: { trigger: 'push' },
    });
    const { memo } = await world.client.workflow.getHandle(requests[0]?.run ?? '').describe();
    expect(memo).toEqual({ request: { trigger: 'push' } });
  });

  it('starts the next run when the gap is over, for all pushes until then', async () => {
    world.begin();
    // Even a busy machine delivers all pushes within this gap.
    const [begunAt, gapMs] = [Date.now(), 6_000];
    await start({ gapMs, begunAt });
    await Promise.all(Array.from({ length: 4 }, () => handle.signal(pushed)));
    expect(world.inputs('recordRequest')).toEqual([]);
    expect(await runsStarted(4, 1)).toBe(1);
    const [run] = world.inputs('recordRequest');
    const { startTime } = await world.client.workflow.getHandle(run?.run ?? '').describe();
    expect(startTime.getTime()).toBeGreaterThanOrEqual(begunAt + gapMs);
  });

  it('starts one more run for all pushes during a run', async () => {
    const gate = Promise.withResolvers<void>();
    world.begin({ planFederation: () => gate.promise.then(() => planOf([])) });
    await start();
    await handle.signal(pushed);
    await world.untilCalled('planFederation');
    for (let at = 0; at < 5; at++) await handle.signal(pushed);
    expect(await runsStarted(6, 0)).toBe(1);
    gate.resolve();
    await until('two runs', () => (runs() === 2 ? true : undefined));
    expect(await runsStarted(6, 2)).toBe(2);
  });

  it('continues after a failed run', async () => {
    const denied = new FederationError('STORAGE_ACCESS_DENIED', {
      detail: 'Access to the bucket is denied.',
    });
    world.begin({ planFederation: () => Promise.reject(denied) });
    await start();
    await handle.signal(pushed);
    await until('a run that failed', () => (runs() === 1 ? true : undefined));
    world.become({ planFederation: async () => planOf([]) });
    await handle.signal(pushed);
    await until('another run', () => (runs() === 2 ? true : undefined));
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('leaves a run alone when it ends', async () => {
    const gate = Promise.withResolvers<void>();
    world.begin({ planFederation: () => gate.promise.then(() => planOf([])) });
    await start();
    await handle.signal(pushed);
    await world.untilCalled('planFederation');
    await handle.terminate();
    gate.resolve();
    await until('the run reports', () => (runs() === 1 ? true : undefined));
    expect(world.inputs('writeReport')[0]).toMatchObject({ outcome: 'complete' });
    await start();
  });

  it('remembers a push when it continues as new', async () => {
    world.begin();
    await start({ waiting: true });
    await world.untilCalled('writeReport');
  });
});
