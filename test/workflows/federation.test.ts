import type { MergeWindowInput } from '../../activities/merge-window';
import { FederationError } from '../../errors/federation-error';
import { describeRun } from '../../workflows/describe-run';
import { progress } from '../../workflows/messages';
import { describeWithTemporal } from '../servers/temporal';
import { callsOf, committed, describedShard, mergedWindow, planOf } from './doubles';
import { failureOfRun, summariesOf, untilProgress } from './runs';
import { WorkflowWorld } from './workflow-world';

const accessDenied = new FederationError('STORAGE_ACCESS_DENIED', {
  detail: 'Access to the bucket is denied.',
});

const mergedFirst = async () => mergedWindow(0);

/** Returns the windows that were merged, each as `shard/index`. */
const mergedIn = (world: WorkflowWorld) =>
  world
    .inputs('mergeWindow')
    .map(({ shard, index }) => `${shard}/${index}`)
    .sort();

describeWithTemporal('a federation', () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await WorkflowWorld.open();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it('plans, merges every planned window, records, commits and reports', async () => {
    world.begin();
    const run = await world.federate();
    expect(await run.result()).toEqual({
      run: run.workflowId,
      outcome: 'complete',
      generation: 1,
      clusters: 5,
      excluded: [],
      windows: 2,
      planned: 2,
      merged: 2,
      quarantined: 0,
      shrunk: 0,
      published: 2,
      unfinished: [],
    });
    expect(world.names()).toEqual([
      'recordRequest',
      'awaitEarlierRuns',
      'planFederation',
      'describeShard',
      'mergeWindow',
      'mergeWindow',
      'recordShard',
      'commitGeneration',
      'publishGeneration',
      'notifyPrimaries',
      'cleanUp',
      'writeReport',
    ]);
    expect(mergedIn(world)).toEqual(['0/0', '0/1']);
    expect(world.inputs('recordShard')).toMatchObject([{ outcomes: [mergedWindow(0), mergedWindow(1)] }]);
    expect(world.inputs('commitGeneration')).toEqual([{ run: run.workflowId, attempt: 1 }]);
    expect(world.inputs('writeReport')).toEqual([
      expect.objectContaining({
        run: run.workflowId,
        workflowRunId: run.firstExecutionRunId,
        outcome: 'complete',
        generation: 1,
        windows: { all: 2, planned: 2, merged: 2, reused: 0, removed: 0 },
        unfinished: [],
      }),
    ]);
    // The Temporal UI shows these summaries of a run's steps in its timeline.
    expect(await summariesOf(run)).toEqual([
      'record what was asked',
      'wait for an earlier run to end',
      'plan',
      'read shard 1 of the plan',
      'merge allocations 1d shard 1, window 1 · 5 clusters',
      'merge allocations 1d shard 1, window 2 · 5 clusters',
      'record shard 1',
      `commit of ${run.workflowId}`,
      'write the report',
    ]);
  });

  it('is partial if sources are quarantined, or if a step after the commit is left to the next run', async () => {
    const numbers = { quarantined: 1, shrunk: 2 };
    world.begin({ commitGeneration: async () => committed({ ...numbers, degraded: ['c2'] }) });
    const bad = await world.federate();
    expect(await bad.result()).toMatchObject({ outcome: 'partial', generation: 1, ...numbers });
    expect(world.inputs('writeReport')).toMatchObject([numbers]);
    expect(describeRun(await bad.query(progress))).toMatch(
      /\n\n\*\*1 quarantined source, 2 shrunk sources\*\*: see `federated-etl quarantine`\n\n5 clusters, 2 windows, /,
    );

    world.begin({ cleanUp: () => Promise.reject(accessDenied) });
    const unfinished = await world.federate();
    expect(await unfinished.result()).toMatchObject({ outcome: 'partial', quarantined: 0, published: 2 });
    expect(world.inputs('writeReport')).toMatchObject([
      { unfinished: [expect.stringMatching(/^clean up: STORAGE_ACCESS/)] },
    ]);
  });

  it.each([
    ['no-input', 'There is no file to federate; nothing was changed.'],
    ['all-excluded', 'Every cluster is excluded or removed; nothing was changed.'],
  ] as const)('commits nothing if it finds %s', async (outcome, why) => {
    world.begin({ planFederation: async () => planOf([], { outcome }) });
    const run = await world.federate();
    const summary = await run.result();
    expect(summary).toMatchObject({ outcome: 'nothing', why, merged: 0 });
    expect(summary).not.toHaveProperty('generation');
    expect(world.names()).toEqual(['recordRequest', 'awaitEarlierRuns', 'planFederation', 'writeReport']);
  });

  it('commits nothing while the federation is on hold, but repairs what was published', async () => {
    const heldBy = { generation: 4, by: 'ann@host', reason: 'numbers are wrong', at: '2026-11-20T00:00:00Z' };
    world.begin({
      planFederation: async () => planOf([], { outcome: 'on-hold', base: 9, heldBy, carried: 3 }),
    });
    const run = await world.federate();
    expect(await run.result()).toMatchObject({
      outcome: 'on-hold',
      generation: 9,
      why: 'On hold: ann@host rolled back to generation 4 at 2026-11-20T00:00:00Z (numbers are wrong). Nothing is committed until `federated-etl federate --resume`.',
      published: 2,
    });
    expect(world.names()).toEqual([
      'recordRequest',
      'awaitEarlierRuns',
      'planFederation',
      'publishGeneration',
      'notifyPrimaries',
      'cleanUp',
      'writeReport',
    ]);
    expect(world.inputs('writeReport')).toMatchObject([{ outcome: 'on-hold', generation: 9 }]);
  });

  it('lets the commit find that nothing changed', async () => {
    world.begin({
      planFederation: async () => planOf([], { base: 7 }),
      commitGeneration: async () => committed({ status: 'unchanged', generation: 7 }),
    });
    const run = await world.federate();
    expect(await run.result()).toMatchObject({
      outcome: 'complete',
      generation: 7,
      why: 'No window changed; nothing was merged.',
    });
    expect(world.names()).not.toContain('describeShard');
  });

  it('plans again if the commit asks for it', async () => {
    let commits = 0;
    world.begin({
      commitGeneration: async () =>
        ++commits === 1 ? { status: 'replan', why: 'who is in changed' } : committed({ generation: 2 }),
    });
    const run = await world.federate();
    expect(await run.result()).toMatchObject({ outcome: 'complete', generation: 2, merged: 2 });
    expect(world.inputs('planFederation').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(world.inputs('mergeWindow').map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2]);
    expect(world.inputs('commitGeneration').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await summariesOf(run)).toContain('plan again (2)');
  });

  it.each(['mergeWindow', 'commitGeneration'] as const)(
    'plans again if %s cannot read what the run wrote',
    async (step) => {
      const unreadable = new FederationError('PLAN_UNREADABLE', { detail: 'The object is gone.' });
      const once = ({ attempt }: { attempt: number }) => {
        if (attempt === 1) throw unreadable;
      };
      world.begin({
        ...(step === 'mergeWindow'
          ? { mergeWindow: async (input) => (once(input), mergedWindow(input.index)) }
          : { commitGeneration: async (input) => (once(input), committed({ generation: 2 })) }),
      });
      const run = await world.federate();
      expect(await run.result()).toMatchObject({ outcome: 'complete', merged: 2 });
      expect(world.inputs('planFederation').map(({ attempt }) => attempt)).toEqual([1, 2]);
    },
  );

  it('gives up with an error after five plans', async () => {
    world.begin({ commitGeneration: async () => ({ status: 'replan', why: 'again' }) });
    const run = await world.federate();
    expect(await failureOfRun(run)).toMatchObject({
      type: 'FEDERATION_FAILED',
      message: expect.stringContaining('overtaken 5 times'),
    });
    expect(world.inputs('planFederation').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(world.inputs('writeReport')).toMatchObject([{ outcome: 'failed' }]);
  });

  it('fails with the code of the error, and reports it', async () => {
    world.begin({ mergeWindow: ({ index }) => (index === 1 ? Promise.reject(accessDenied) : mergedFirst()) });
    const run = await world.federate();
    expect(await failureOfRun(run)).toMatchObject({
      type: 'STORAGE_ACCESS_DENIED',
      message: accessDenied.detail,
    });
    expect((await run.describe()).status.name).toBe('FAILED');
    expect(world.names()).not.toContain('commitGeneration');
    expect(world.inputs('writeReport')).toMatchObject([
      { outcome: 'failed', error: { code: 'STORAGE_ACCESS_DENIED', message: accessDenied.detail } },
    ]);
  });

  it('fails too if it cannot write the report', async () => {
    world.begin({
      planFederation: () => Promise.reject(accessDenied),
      writeReport: () => Promise.reject(new FederationError('STORAGE_READ_ONLY', { detail: 'Read only.' })),
    });
    expect(await failureOfRun(await world.federate())).toMatchObject({ type: 'STORAGE_ACCESS_DENIED' });
  });

  it('is partial if it has committed but cannot write the report, and returns the report', async () => {
    world.begin({ writeReport: () => Promise.reject(accessDenied) });
    const unfinished = [`report: STORAGE_ACCESS_DENIED: ${accessDenied.detail}`];
    expect(await (await world.federate()).result()).toMatchObject({
      outcome: 'partial',
      generation: 1,
      unfinished,
      unwritten: { outcome: 'partial', generation: 1, unfinished },
    });
  });

  it.each(['planFederation', 'describeShard', 'mergeWindow', 'commitGeneration'] as const)(
    'fails instead of hanging if %s returns an invalid result',
    async (name) => {
      world.begin({ [name]: async () => null });
      const run = await world.federate();
      expect(await failureOfRun(run)).toMatchObject({ type: 'INTERNAL' });
      expect(world.inputs('writeReport')).toMatchObject([{ outcome: 'failed', error: { code: 'INTERNAL' } }]);
    },
  );

  it('merges at most a given number of windows at once', async () => {
    // Each merge waits until three merges have started. If fewer could run at the same time, the run would never end.
    let [now, most] = [0, 0];
    let three = Promise.withResolvers<void>();
    const indices = Array.from({ length: 12 }, (_, index) => index);
    world.begin({
      planFederation: async () => planOf([12]),
      describeShard: async () => describedShard(12),
      mergeWindow: async ({ index }: MergeWindowInput) => {
        most = Math.max(most, ++now);
        const group = three;
        if (now === 3) {
          three = Promise.withResolvers();
          group.resolve();
        }
        await group.promise;
        now -= 1;
        return mergedWindow(index);
      },
    });
    await (await world.federate({ parallel: 3 })).result();
    expect(
      world
        .inputs('mergeWindow')
        .map(({ index }) => index)
        .sort((a, b) => a - b),
    ).toEqual(indices);
    expect(most).toBe(3);
  });

  it('shows its progress', async () => {
    const first = Promise.withResolvers<void>();
    world.begin({
      mergeWindow: ({ index }) =>
        index === 0 ? mergedFirst() : first.promise.then(() => mergedWindow(1, { quarantined: 1 })),
    });
    const run = await world.federate();
    const merging = await untilProgress(run, ({ merged }) => merged === 1);
    expect(merging).toMatchObject({
      run: run.workflowId,
      phase: 'merging',
      attempt: 1,
      clusters: 5,
      windows: 2,
      planned: 2,
      quarantined: 0,
    });
    first.resolve();
    await run.result();
    expect(await run.query(progress)).toMatchObject({ phase: 'done', merged: 2, generation: 1 });
  });

  it('reports the store calls of all its steps, including overtaken plans', async () => {
    let commits = 0;
    world.begin({
      recordRequest: async () => ({ calls: callsOf({ create: 1 }) }),
      planFederation: async () => ({ ...planOf([2]), calls: callsOf({ list: 10, put: 2 }) }),
      describeShard: async () => ({ ...describedShard(2), calls: callsOf({ get: 1 }) }),
      mergeWindow: async ({ index }) => ({ ...mergedWindow(index), calls: callsOf({ get: 5, put: 2 }) }),
      recordShard: async () => ({ calls: callsOf({ put: 1 }) }),
      commitGeneration: async () => ({
        ...(++commits === 1 ? ({ status: 'replan', why: 'again' } as const) : committed()),
        calls: callsOf({ head: 2 }),
      }),
    });
    await (await world.federate()).result();
    const [report] = world.inputs('writeReport');
    expect(report?.calls).toEqual(callsOf({ create: 1, list: 20, put: 2 * (2 + 4 + 1), get: 22, head: 4 }));
    // Outcomes are recorded without the number of store calls.
    expect(world.inputs('recordShard')[0]?.outcomes).toEqual([mergedWindow(0), mergedWindow(1)]);
  });

  it('that fails reports its store calls until then', async () => {
    world.begin({
      planFederation: async () => ({ ...planOf([2]), calls: callsOf({ list: 10 }) }),
      mergeWindow: ({ index }) =>
        index === 1
          ? Promise.reject(accessDenied)
          : Promise.resolve({ ...mergedWindow(0), calls: callsOf({ get: 5 }) }),
    });
    await failureOfRun(await world.federate());
    expect(world.inputs('writeReport')).toMatchObject([{ calls: callsOf({ list: 10, get: 5 }) }]);
  });
});
