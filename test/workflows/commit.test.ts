import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { FederationError } from '../../errors/federation-error';
import { noCalls } from '../../federation/store-calls';
import type { commit } from '../../workflows/commit';
import { names } from '../../workflows/names';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { callsOf, cleanedUp, committed, mergedWindow, planOf } from './doubles';
import { failureOfRun, summariesOf } from './runs';
import { WorkflowWorld } from './workflow-world';

const accessDenied = new FederationError('STORAGE_ACCESS_DENIED', {
  detail: 'Access to the bucket is denied.',
});

let world: WorkflowWorld;
beforeAll(async () => {
  world = await WorkflowWorld.open();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const startCommit = (run = 'another-run') =>
  world.client.workflow.start<typeof commit>('commit', {
    ...world.options(names('').commit),
    args: [{ run, attempt: 1, roster: names('').roster }],
  });

describeWithTemporal('a commit', () => {
  it('publishes, notifies the primaries and cleans up, and adds up the store calls of all that', async () => {
    const published = { generation: 1, copied: 2, deleted: 0 };
    world.begin({
      commitGeneration: async () => ({ ...committed(), calls: callsOf({ list: 3, create: 1 }) }),
      publishGeneration: async () => ({ ...published, unchanged: 0, calls: callsOf({ list: 1, copy: 2 }) }),
      cleanUp: async () => ({ ...cleanedUp, calls: callsOf({ list: 4, delete: 5 }) }),
    });
    expect(await (await startCommit()).result()).toEqual({
      result: committed(),
      published,
      unfinished: [],
      calls: callsOf({ list: 8, create: 1, copy: 2, delete: 5 }),
    });
    expect(world.names()).toEqual(['commitGeneration', 'publishGeneration', 'notifyPrimaries', 'cleanUp']);
  });

  it('repairs published files even if there was nothing to commit', async () => {
    world.begin({ commitGeneration: async () => committed({ status: 'unchanged' }) });
    expect(await (await startCommit()).result()).toMatchObject({ published: { generation: 1 } });
  });

  it('that is overtaken does nothing else', async () => {
    const result = { status: 'replan', why: 'generation 2 is the newest' } as const;
    world.begin({ commitGeneration: async () => result });
    expect(await (await startCommit()).result()).toEqual({ result, unfinished: [], calls: noCalls() });
    expect(world.names()).toEqual(['commitGeneration']);
  });

  it('remains valid if publishing fails: the unfinished step is named, and the rest is done', async () => {
    world.begin({ publishGeneration: () => Promise.reject(accessDenied) });
    expect(await (await startCommit()).result()).toEqual({
      result: committed(),
      unfinished: [`publish: STORAGE_ACCESS_DENIED: ${accessDenied.detail}`],
      calls: noCalls(),
    });
    expect(world.names()).toEqual(['commitGeneration', 'publishGeneration', 'notifyPrimaries', 'cleanUp']);
  });

  it('that fails has the error’s code', async () => {
    world.begin({ commitGeneration: () => Promise.reject(accessDenied) });
    expect(await failureOfRun(await startCommit())).toMatchObject({ type: 'STORAGE_ACCESS_DENIED' });
    expect(world.names()).toEqual(['commitGeneration']);
  });

  it('makes a federation wait for its turn', async () => {
    const other = Promise.withResolvers<void>();
    world.begin({
      commitGeneration: async ({ run }) => {
        if (run === 'another-run') await other.promise;
        return committed();
      },
    });
    const first = await startCommit();
    const run = await world.federate();
    await until(
      'the run to wait',
      async () => (await summariesOf(run)).includes('another commit is under way') || undefined,
    );
    other.resolve();
    await first.result();
    expect(await run.result()).toMatchObject({ outcome: 'complete', generation: 1 });
    expect(world.inputs('commitGeneration')).toEqual([
      { run: 'another-run', attempt: 1 },
      { run: run.workflowId, attempt: 1 },
    ]);
  });

  it('in progress continues if its run is cancelled', async () => {
    const gate = Promise.withResolvers<void>();
    world.begin({
      commitGeneration: async () => {
        await heartbeating(gate.promise);
        return committed();
      },
    });
    const run = await world.federate();
    await world.untilCalled('commitGeneration');
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect(world.inputs('writeReport')).toMatchObject([{ outcome: 'cancelled' }]);
    gate.resolve();
    const end = await world.client.workflow.getHandle<typeof commit>(names('').commit).result();
    expect(end).toMatchObject({
      result: { status: 'committed' },
      published: { generation: 1 },
      unfinished: [],
    });
  });
});

describeWithTemporal('a federation that is cancelled', () => {
  it('ends Cancelled, with a report, and commits nothing', async () => {
    world.begin({ mergeWindow: () => heartbeating(new Promise<never>(() => undefined)) });
    const run = await world.federate();
    await world.untilCalled('mergeWindow', 2);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect((await run.describe()).status.name).toBe('CANCELLED');
    expect(world.names()).not.toContain('commitGeneration');
    const [report] = world.inputs('writeReport');
    expect(report).toMatchObject({ outcome: 'cancelled', windows: { planned: 2, merged: 0 } });
    expect(report).not.toHaveProperty('error');
  });
});

describeWithTemporal('the list of federations', () => {
  const listed = (runId: string, query: string) =>
    until(`a run with ${query}`, async () => {
      for await (const found of world.client.workflow.list({
        query: `WorkflowType = 'federation' AND ${query}`,
      })) {
        if (found.runId === runId) return true;
      }
      return undefined;
    });

  it('finds a run by outcome, generation, and included, excluded or degraded clusters', async () => {
    world.begin({
      planFederation: async () => planOf([2], { excluded: { count: 1, ids: ['c9'] } }),
      mergeWindow: async ({ index }) => mergedWindow(index, { quarantined: index }),
      commitGeneration: async () => committed({ generation: 42, quarantined: 1, degraded: ['c2'] }),
    });
    const run = await world.federate();
    expect(await run.result()).toMatchObject({ outcome: 'partial', excluded: ['c9'] });
    await listed(
      run.firstExecutionRunId,
      "FederationOutcome = 'partial' AND FederationGeneration = 42 AND FederationClusters = 'c5' " +
        "AND FederationClusters = 'excluded:c9' AND FederationClusters = 'degraded:c2'",
    );
  });

  it.each(['running', 'failed'])('finds a run that is %s', async (outcome) => {
    const gate = Promise.withResolvers<void>();
    world.begin({
      planFederation: async () => {
        if (outcome === 'failed') throw accessDenied;
        await gate.promise;
        return planOf([2]);
      },
    });
    const run = await world.federate();
    await listed(run.firstExecutionRunId, `FederationOutcome = '${outcome}'`);
    gate.resolve();
    await run.result().catch(() => undefined);
  });
});

/** Sends heartbeats while it waits for `work`. A cancellation reaches an activity only through a heartbeat. */
async function heartbeating<T>(work: Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    return await Promise.race([work, context.cancelled]);
  } finally {
    clearInterval(beat);
  }
}
