import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import type { MergeWindowInput } from '../../activities/merge-window';
import { FederationError } from '../../errors/federation-error';
import { workflowBundle } from '../../workers/workflow-bundle';
import type { mergeWindows } from '../../workflows/merge-windows';
import { names } from '../../workflows/names';
import { describeWithTemporal } from '../servers/temporal';
import { callsOf, describedShard, mergedWindow, planOf } from './doubles';
import { largestPayload, mostPayloadBytes } from './largest-payload';
import { failureOfRun, offeredSignals, untilProgress } from './runs';
import { WorkflowWorld } from './workflow-world';

const { History } = temporal.api.history.v1;

/** A tenth of the number of events that Temporal allows in a history. */
const mostEvents = 5_120;
const mostBytes = 5 * 2 ** 20;

const accessDenied = new FederationError('STORAGE_ACCESS_DENIED', {
  detail: 'Access to the bucket is denied.',
});

let world: WorkflowWorld;
beforeAll(async () => {
  world = await WorkflowWorld.open();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Returns the lanes of a run: the child workflows that merged its windows. */
async function lanesOf(run: WorkflowHandle): Promise<WorkflowHandle[]> {
  const { events } = await run.fetchHistory();
  return (events ?? []).flatMap((event) => {
    const { workflowType, workflowId } = event.startChildWorkflowExecutionInitiatedEventAttributes ?? {};
    return workflowType?.name === 'mergeWindows' ? [world.client.workflow.getHandle(workflowId ?? '')] : [];
  });
}

async function sizeOf(run: WorkflowHandle) {
  const history = await run.fetchHistory();
  return {
    events: history.events?.length ?? 0,
    bytes: History.encode(History.fromObject(history)).finish().length,
    largestPayload: largestPayload(history).bytes,
    signals: (history.events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length,
  };
}

/** Returns the outcome of a merge in which names and numbers are as long as in a large federation. */
const largeOutcome = ({ index }: MergeWindowInput) => ({
  ...mergedWindow(index, { fingerprint: 'f'.repeat(64), digest: 'd'.repeat(64), clusters: 1_000 }),
  calls: callsOf({ get: 1_000, put: 2 }),
});

describeWithTemporal('a federation of many windows', () => {
  it('divides the shards of its plan among lanes, and adds up their results', async () => {
    world.begin({
      planFederation: async () => planOf([2, 2, 2, 2, 2, 2]),
      describeShard: async ({ shard }) => ({ ...describedShard(2, shard), calls: callsOf({ get: 1 }) }),
      mergeWindow: async ({ shard, index }) => ({
        ...mergedWindow(index, { reused: shard === 5, quarantined: shard === 4 ? 1 : 0 }),
        calls: callsOf({ get: 5, put: 2 }),
      }),
      recordShard: async () => ({ calls: callsOf({ put: 1 }) }),
    });
    const run = await world.federate();
    expect(await run.result()).toMatchObject({ outcome: 'complete', planned: 12, merged: 10 });
    const lanes = await lanesOf(run);
    expect(lanes.map(({ workflowId }) => workflowId)).toEqual(
      [0, 1, 2, 3].map((lane) => `${run.workflowId}/windows-${lane}`),
    );
    const shards = world.inputs('recordShard').map(({ shard, outcomes }) => `${shard}: ${outcomes.length}`);
    expect(shards.sort()).toEqual(['0: 2', '1: 2', '2: 2', '3: 2', '4: 2', '5: 2']);
    expect(world.inputs('mergeWindow')).toHaveLength(12);
    expect(world.inputs('writeReport')).toMatchObject([
      {
        windows: { all: 12, planned: 12, merged: 10, reused: 2, removed: 0 },
        calls: callsOf({ get: 6 * 11, put: 6 * 5 }),
      },
    ]);
  });

  it('shows the progress of its lanes, and ignores invalid reports', async () => {
    const last = Promise.withResolvers<void>();
    world.begin({
      planFederation: async () => planOf([2, 2]),
      mergeWindow: async ({ shard, index }) => {
        if (shard === 1 && index === 1) await last.promise;
        return mergedWindow(index, { quarantined: 1 });
      },
    });
    const run = await world.federate();
    const nonsense = [
      null,
      'lane',
      {},
      { attempt: 1, lane: 0 },
      { attempt: 1, lane: 0, counts: { windows: 1 } },
    ];
    const merging = await untilProgress(run, ({ merged }) => merged === 3);
    expect(merging).toMatchObject({ phase: 'merging', planned: 4, quarantined: 3 });
    for (const message of nonsense) await run.signal('windowsMerged', message);
    expect(await untilProgress(run, () => true)).toMatchObject({ merged: 3, quarantined: 3 });
    expect(await offeredSignals(run)).toEqual(['excludeCluster', 'includeCluster']);
    last.resolve();
    expect(await run.result()).toMatchObject({ merged: 4 });
  });

  it('fails with the code of a failed lane, and ends the others', async () => {
    const never = Promise.withResolvers<never>();
    world.begin({
      planFederation: async () => planOf([2, 2]),
      // The merges of one lane fail while those of the other lane never end. The failure must cancel the other lane.
      mergeWindow: async ({ shard }) => {
        if (shard === 1) return never.promise;
        await world.untilCalled('mergeWindow', 4);
        throw accessDenied;
      },
    });
    const run = await world.federate();
    expect(await failureOfRun(run)).toMatchObject({ type: 'STORAGE_ACCESS_DENIED' });
    const ends = await Promise.all(
      (await lanesOf(run)).map(async (lane) => (await lane.describe()).status.name),
    );
    expect(ends).toEqual(['FAILED', 'CANCELLED']);
    expect(world.names()).not.toContain('commitGeneration');
    never.reject(accessDenied);
  });

  it('that is cancelled cancels its lanes', async () => {
    const never = Promise.withResolvers<never>();
    world.begin({ planFederation: async () => planOf([2, 2]), mergeWindow: () => never.promise });
    const run = await world.federate();
    await world.untilCalled('mergeWindow', 4);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    for (const lane of await lanesOf(run)) expect((await lane.describe()).status.name).toBe('CANCELLED');
    expect(world.inputs('writeReport')).toMatchObject([{ outcome: 'cancelled' }]);
    never.reject(accessDenied);
  });

  it('has a history that does not grow with its plan', async () => {
    // A run of 40 windows gets one signal per window. A run of 100,000 windows gets only one per 1,000 windows, because
    // otherwise its history would be too large. In this test, the second run merges only 80 of its 100,000 windows, so
    // it gets no signal.
    for (const [shards, planned] of [
      [40, 40],
      [80, 100_000],
    ] as const) {
      world.begin({
        planFederation: async () => planOf(Array<number>(shards).fill(1), { planned }),
        describeShard: async ({ shard }) => describedShard(1, shard),
        mergeWindow: async (input) => largeOutcome(input),
      });
      const run = await world.federate();
      await run.result();
      expect(world.inputs('recordShard')).toHaveLength(shards);
      const { events, bytes, signals } = await sizeOf(run);
      expect(signals).toBeLessThanOrEqual(planned === shards ? shards : 0);
      // A plan may cause four events per signal and fewer than 120 other events. A run makes at most five plans, with a
      // hundred signals each. Even then, the total must be below `mostEvents`.
      expect(events - 4 * signals).toBeLessThan(120);
      expect(5 * (120 + 4 * 100)).toBeLessThan(mostEvents);
      expect(bytes).toBeLessThan(mostBytes / 50);
    }
  });
});

describeWithTemporal('a lane', () => {
  it('continues as new, with its results, long before its history is a tenth of what Temporal accepts', async () => {
    world.begin({
      describeShard: async ({ shard }) => describedShard(50, shard),
      mergeWindow: async (input) => largeOutcome(input),
    });
    const ref = { run: 'r', attempt: 1, shard: 0, mergeQueue: names('').mergeQueue, parallel: 16 };
    const lane = await world.client.workflow.start<typeof mergeWindows>('mergeWindows', {
      ...world.options(),
      workflowExecutionTimeout: '4m',
      args: [{ ...ref, lane: { step: 1, shards: 9, reportEvery: 10 } }],
    });
    expect(await lane.result()).toMatchObject({
      windows: 450,
      merged: 450,
      calls: callsOf({ get: 450_000, put: 900 }),
    });
    expect(world.inputs('recordShard').map(({ shard }) => shard)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const first = world.client.workflow.getHandle(lane.workflowId, lane.firstExecutionRunId);
    const size = await sizeOf(first);
    expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
    expect(size.events).toBeGreaterThan(8 * 50 * 3);
    expect(size.events).toBeLessThan(mostEvents);
    expect(size.bytes).toBeLessThan(mostBytes);
    expect(size.largestPayload).toBeLessThan(mostPayloadBytes);
    // Replay both executions of the lane. A worker does so when it takes over the lane from another worker.
    for (const run of [first, world.client.workflow.getHandle(lane.workflowId)]) {
      const history = await run.fetchHistory();
      const replayed = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, [
        { workflowId: lane.workflowId, history },
      ]);
      for await (const { error } of replayed) expect(error).toBeUndefined();
    }
  });

  it('that is cancelled in the last shard of a history does not continue as new', async () => {
    const gate = Promise.withResolvers<undefined>();
    world.begin({
      describeShard: async () => describedShard(0),
      recordShard: async ({ shard }) => (shard === 7 ? gate.promise : undefined),
    });
    const ref = { run: 'r', attempt: 1, shard: 0, mergeQueue: names('').mergeQueue, parallel: 1 };
    const lane = await world.client.workflow.start<typeof mergeWindows>('mergeWindows', {
      ...world.options(),
      args: [{ ...ref, lane: { step: 1, shards: 100, reportEvery: 10 } }],
    });
    await world.untilCalled('recordShard', 8);
    await lane.cancel();
    gate.resolve(undefined);
    await expect(lane.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect(world.inputs('recordShard')).toHaveLength(8);
  });
});
