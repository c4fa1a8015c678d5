import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { federation } from '../../workflows/federation';
import { loadTypescript } from '../servers/load-typescript';
import { describeWithTemporal } from '../servers/temporal';
import { describedShard, mergedWindow, planOf } from '../workflows/doubles';
import { WorkflowWorld } from '../workflows/workflow-world';

const windows = 6;
const slots = 2;

let world: WorkflowWorld;
beforeAll(async () => {
  world = await WorkflowWorld.open({ mergeSlots: slots });
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Starts a merge worker in a separate process. `begun` resolves when this worker starts to merge its first window. */
async function anotherWorker(): Promise<{ other: ChildProcess; begun: Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const serves = Promise.withResolvers<void>();
  const other = fork(
    path.join(__dirname, 'merging-process.ts'),
    [world.server.address, world.namespace, 'another'],
    { execArgv: loadTypescript },
  );
  other.on('message', (said) => (said === 'serves' ? serves : begun).resolve());
  await serves.promise;
  return { other, begun: begun.promise };
}

/** Returns the identity of each worker that has completed a merge in the run. */
async function mergersOf(run: WorkflowHandle): Promise<string[]> {
  const events = (await run.fetchHistory()).events ?? [];
  const ofMerges = new Set(
    events
      .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'mergeWindow')
      .map(({ eventId }) => String(eventId)),
  );
  const completed = events.flatMap(({ activityTaskCompletedEventAttributes: end }) =>
    end && ofMerges.has(String(end.scheduledEventId)) ? [end.identity ?? ''] : [],
  );
  return [...new Set(completed)].sort();
}

/**
 * Starts a run whose windows are merged by this process and by another one. This process completes no merge before the
 * other process has started a merge. There are more windows than this process can merge at the same time, so the other
 * process gets some of them.
 */
async function sharedRun(
  begun: Promise<void>,
  thenDo: () => Promise<void>,
): Promise<WorkflowHandle<typeof federation>> {
  world.begin({
    planFederation: async () => planOf([windows]),
    describeShard: async () => describedShard(windows),
    mergeWindow: async ({ index }) => {
      await begun;
      return mergedWindow(index);
    },
  });
  const run = await world.client.workflow.start<typeof federation>('federation', {
    ...world.options(),
    workflowExecutionTimeout: '4m',
    args: [{ idPrefix: '', request: { trigger: 'person' } }],
  });
  // Wait until both processes are merging.
  await Promise.all([world.untilCalled('mergeWindow'), begun]);
  await thenDo();
  expect(await run.result()).toMatchObject({ outcome: 'complete', merged: windows });
  const [recorded] = world.inputs('recordShard');
  expect(recorded?.outcomes.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  return run;
}

describeWithTemporal('several federators', () => {
  it('share the windows of one run', async () => {
    const { other, begun } = await anotherWorker();
    const run = await sharedRun(begun, async () => void other.send('go on'));
    expect(await mergersOf(run)).toEqual(['another', 'test']);
    other.kill('SIGKILL');
    await once(other, 'exit');
  });

  it('lose no window if one of them is killed during a merge', async () => {
    const { other, begun } = await anotherWorker();
    // The killed process sends no more heartbeats, so the server assigns its merge to the worker in this process.
    const run = await sharedRun(begun, async () => {
      other.kill('SIGKILL');
      await once(other, 'exit');
    });
    expect(await mergersOf(run)).toEqual(['test']);
  });
});
