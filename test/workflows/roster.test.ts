import { type Connection, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { Settings } from '../../config/settings';
import { FederationError } from '../../errors/federation-error';
import type { GenerationIdentity } from '../../federation/identity';
import { startRoster as startRosterOf } from '../../workers/federator-workflows';
import {
  excludeCluster,
  excludeClusterUpdate,
  forgetPrimary,
  includeCluster,
  includeClusterUpdate,
  noteGeneration,
  progress,
  registerPrimary,
  type RosterState,
  rosterState,
} from '../../workflows/messages';
import { names } from '../../workflows/names';
import type { roster, RosterInput } from '../../workflows/roster';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { committed, type Doubles, planOf } from './doubles';
import { failureOfRun, offeredSignals, shownDetails, untilProgress } from './runs';
import { WorkflowWorld } from './workflow-world';

const accessDenied = new FederationError('STORAGE_ACCESS_DENIED', {
  detail: 'Access to the bucket is denied.',
});
const rubbish = [null, undefined, 42, '', {}, [], { cluster: '' }, { cluster: 7 }, '__proto__', 'combined'];
const since = '2026-11-01T00:00:00.000Z';

const identity = (generation: number): GenerationIdentity => ({
  federation: 'f-1',
  generation,
  run: `run-${generation}`,
});

let world: WorkflowWorld;
let handle: WorkflowHandle<typeof roster>;
beforeAll(async () => {
  world = await WorkflowWorld.open();
});
afterAll(() => world?.[Symbol.asyncDispose]());
afterEach(() => handle.terminate().catch(() => undefined));

async function startRoster(doubles: Doubles = {}, input: Partial<RosterInput> = {}): Promise<void> {
  world.begin(doubles);
  await world.client.workflow.start<typeof roster>('roster', {
    ...world.options(names('').roster),
    args: [{ bucket: 'file:///bucket', ...input }],
  });
  // Do not bind this handle to a run id. It then stays valid when the roster continues as new.
  handle = world.client.workflow.getHandle<typeof roster>(names('').roster);
}

const untilRoster = (what: string, holds: (state: RosterState) => boolean) =>
  until(what, async () => {
    const state = await handle.query(rosterState);
    return holds(state) ? state : undefined;
  });

describeWithTemporal('the roster', () => {
  it('starts from the exclusions of the newest generation', async () => {
    const exclusions = { c2: { reason: 'odd prices', at: since } };
    const follows = { generation: 7, roster: 'the one that was lost' };
    const known = identity(7);
    await startRoster({ readExclusions: async () => ({ exclusions, follows, known }) });
    const state = await untilRoster('the roster to load', ({ loaded }) => loaded);
    const { runId: id } = await handle.describe();
    expect(state).toEqual({
      id,
      follows,
      known,
      bucket: 'file:///bucket',
      exclusions,
      primaries: [],
      loaded: true,
    });
  });

  it('takes over what a terminated one knew, even if no generation has it', async () => {
    const askEarlier: Doubles['readEarlierRoster'] = ({ runId }) =>
      world.client.workflow.getHandle(names('').roster, runId).query(rosterState);
    const exclusions = { c2: { reason: 'odd prices', at: since } };
    const known = { readExclusions: async () => ({ exclusions }), readEarlierRoster: askEarlier };
    await startRoster(known);
    await handle.signal(excludeCluster, { cluster: 'c3', reason: 'not in a generation yet' });
    await handle.signal(includeCluster, 'c2');
    await handle.signal(registerPrimary, { cluster: 'c5' });
    const before = await untilRoster(
      'the changes',
      ({ loaded, primaries }) => loaded && primaries.length > 0,
    );
    const restart = () =>
      startRosterOf({
        client: world.client,
        connection: world.client.connection as Connection,
        names: names(''),
        settings: {} as Settings,
        bucket: { label: before.bucket },
      });
    await handle.terminate('a mistake');
    expect(await restart()).toBe(true);
    const after = await untilRoster('the new roster', ({ loaded }) => loaded);
    expect(after).toMatchObject({ exclusions: before.exclusions, primaries: ['c5'] });
    expect(after.id).not.toBe(before.id);

    // Without an answer from the earlier roster, the new roster must use the exclusions of the newest generation.
    world.become({ readEarlierRoster: () => Promise.reject(accessDenied) });
    await handle.terminate('again');
    expect(await restart()).toBe(true);
    const third = await untilRoster('the third roster', ({ loaded }) => loaded);
    expect(third).toMatchObject({ exclusions, primaries: [] });
  });

  it('keeps time and reason of the first exclusion, and forgets both when the cluster is included', async () => {
    await startRoster();
    const reason = 'first\n- **c4** since ever\u001b[31m';
    await handle.signal(excludeCluster, { cluster: 'c3', reason });
    const first = await untilRoster('the exclusion', ({ exclusions }) => exclusions['c3'] !== undefined);
    expect(first.exclusions['c3']).toEqual({ reason, at: expect.stringMatching(/^2\d{3}-.*Z$/) });
    const items = (await shownDetails(handle)).filter((line) => line.startsWith('- '));
    expect(items).toEqual([
      expect.stringMatching(/^- \*\*c3\*\* since .*: first\\\\u000a- \\\*\\\*c4\\\*\\\* .*\\\\u001b\\\[31m$/),
    ]);
    const again = { args: [{ cluster: 'c3', reason: 'second' }] } as const;
    expect(await handle.executeUpdate(excludeClusterUpdate, { args: [...again.args] })).toEqual({
      cluster: 'c3',
      from: 'in the next',
    });
    expect((await handle.query(rosterState)).exclusions).toEqual(first.exclusions);
    expect(await offeredSignals(handle)).toEqual([
      'excludeCluster',
      'forgetPrimary',
      'includeCluster',
      'registerPrimary',
    ]);
    await handle.signal(includeCluster, 'c3');
    await untilRoster('the inclusion', ({ exclusions }) => exclusions['c3'] === undefined);
  });

  it('remembers the newest generation, whichever federation it belongs to', async () => {
    const load = Promise.withResolvers<void>();
    const stored = { exclusions: {}, known: identity(6) };
    await startRoster({ readExclusions: () => load.promise.then(() => stored) });
    await world.untilCalled('readExclusions');
    await handle.signal(noteGeneration, identity(8));
    load.resolve();
    await untilRoster('the roster to load', ({ loaded }) => loaded);
    expect((await handle.query(rosterState)).known).toEqual(identity(8));
    const signals: unknown[] = [identity(7), ...rubbish, { ...identity(9), generation: 'nine' }];
    for (const message of signals) await handle.signal('noteGeneration', message);
    await handle.signal(excludeCluster, 'c1');
    await untilRoster('the last signal', ({ exclusions }) => exclusions['c1'] !== undefined);
    expect((await handle.query(rosterState)).known).toEqual(identity(8));
    const begun = { ...identity(3), federation: 'another' };
    await handle.signal(noteGeneration, begun);
    expect((await untilRoster('it', ({ known }) => known?.generation === 3)).known).toEqual(begun);
  });

  it('learns the newest generation from each run that commits or finds nothing to commit', async () => {
    await startRoster();
    for (const [generation, status] of [[4, 'committed'] as const, [5, 'unchanged'] as const]) {
      world.become({ commitGeneration: async () => committed({ ...identity(generation), status }) });
      expect(await (await world.federate()).result()).toMatchObject({ outcome: 'complete' });
      expect((await handle.query(rosterState)).known).toEqual(identity(generation));
    }
  });

  it('knows which primaries to notify', async () => {
    await startRoster();
    for (const cluster of ['c5', 'c4', 'c5']) await handle.signal(registerPrimary, { cluster });
    await untilRoster('both primaries', ({ primaries }) => primaries.join() === 'c4,c5');
    await handle.signal(forgetPrimary, { cluster: 'c4' });
    await untilRoster('one primary', ({ primaries }) => primaries.join() === 'c5');
  });

  it('ignores signals that name no cluster, and refuses such updates', async () => {
    await startRoster();
    for (const signal of ['excludeCluster', 'includeCluster', 'registerPrimary', 'forgetPrimary'])
      for (const message of rubbish) await handle.signal(signal, message);
    await handle.signal(excludeCluster, 'c1');
    const state = await untilRoster('the exclusion', ({ exclusions }) => exclusions['c1'] !== undefined);
    expect(state).toMatchObject({ exclusions: { c1: { reason: '' } }, primaries: [] });
    const update = handle.executeUpdate('excludeCluster', { args: [{}] });
    await expect(update).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
  });

  it('accepts changes while the generation cannot be read, and retries reading it', async () => {
    await startRoster({ readExclusions: () => Promise.reject(accessDenied) });
    await world.untilCalled('readExclusions');
    await handle.signal(excludeCluster, { cluster: 'c1', reason: 'now' });
    const state = await untilRoster('the exclusion', ({ exclusions }) => exclusions['c1'] !== undefined);
    expect(state.loaded).toBe(false);
    await until('the timer of the next attempt', async () => {
      const { events } = await handle.fetchHistory();
      const timer = events?.find(({ timerStartedEventAttributes }) => timerStartedEventAttributes);
      return (
        timer?.timerStartedEventAttributes?.startToFireTimeout?.seconds?.toString() === '30' || undefined
      );
    });
  });

  it('lets a message that comes before the stored exclusions count more than they do', async () => {
    const gate = Promise.withResolvers<void>();
    const stored = { reason: 'stored', at: since };
    const exclusions = { c1: stored, c2: stored, c3: stored, c4: stored };
    await startRoster({ readExclusions: () => gate.promise.then(() => ({ exclusions })) });
    await world.untilCalled('readExclusions');
    await handle.signal(includeCluster, { cluster: 'c2' });
    await handle.signal(excludeCluster, { cluster: 'c3', reason: 'new' });
    await handle.signal(includeCluster, { cluster: 'c4' });
    await handle.signal(excludeCluster, { cluster: 'c4', reason: 'new' });
    await untilRoster('the messages', ({ exclusions: { c4 } }) => c4 !== undefined);
    gate.resolve();
    const state = await untilRoster('the roster to load', ({ loaded }) => loaded);
    const fresh = { reason: 'new', at: expect.any(String) };
    expect(state.exclusions).toEqual({ c1: stored, c3: fresh, c4: fresh });
  });

  it('loses nothing when it continues as new', async () => {
    const exclusions = { c2: { reason: 'odd prices', at: since } };
    const follows = { generation: 7, roster: 'the one that was lost' };
    const known = identity(7);
    await startRoster({ readExclusions: async () => ({ exclusions, follows, known }) });
    await handle.signal(registerPrimary, { cluster: 'c5' });
    const { runId } = await handle.describe();
    // Make the history so large that the server suggests continuing as new.
    for (let at = 0; at < 3; at++) {
      await handle.signal('excludeCluster', { cluster: `c${at + 6}`, padding: 'x'.repeat(1_700_000) });
      await handle.query(rosterState);
    }
    await until('another run', async () => (await handle.describe()).runId !== runId || undefined);
    await handle.signal(excludeCluster, 'c9');
    const state = await untilRoster('all exclusions', ({ exclusions }) => exclusions['c9'] !== undefined);
    expect(Object.keys(state.exclusions).sort()).toEqual(['c2', 'c6', 'c7', 'c8', 'c9']);
    expect(state).toMatchObject({ exclusions: { c2: { at: since } }, primaries: ['c5'], loaded: true });
    expect(state).toMatchObject({ id: runId, follows, known });
    expect(world.inputs('readExclusions')).toHaveLength(1);
  });
});

describeWithTemporal('a message to a run', () => {
  it('is passed on to the roster, in order and in either form; one that names no cluster is ignored', async () => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({ planFederation: () => gate.promise.then(() => planOf([])) });
    const run = await world.federate();
    for (const message of rubbish) await run.signal('excludeCluster', message);
    await run.signal(excludeCluster, 'c3');
    await run.signal(excludeCluster, { cluster: 'c4', reason: 'odd prices' });
    await run.signal(excludeCluster, 'c5');
    await run.signal(includeCluster, { cluster: 'c5' });
    await run.signal(excludeCluster, 'c1');
    // Wait until the last message has excluded c1. Messages are handled in order, so all earlier ones have been handled
    // by then.
    const state = await untilRoster('the last of them', ({ exclusions }) => exclusions['c1'] !== undefined);
    expect(Object.keys(state.exclusions)).toEqual(['c3', 'c4', 'c1']);
    expect(state.exclusions['c4']).toMatchObject({ reason: 'odd prices' });
    gate.resolve();
    expect(await run.result()).toMatchObject({ outcome: 'complete' });
  });

  it('is passed on even if the run is cancelled at that moment', async () => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({ recordShard: () => gate.promise.then(() => undefined) });
    const run = await world.federate();
    await world.untilCalled('recordShard');
    const clusters = ['c1', 'c2', 'c3'];
    await Promise.all([...clusters.map((cluster) => run.signal(excludeCluster, cluster)), run.cancel()]);
    gate.resolve();
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect(Object.keys((await handle.query(rosterState)).exclusions).sort()).toEqual(clusters);
  });

  it('applies to this run until it commits, and to the next one after that', async () => {
    await startRoster();
    const [merging, reporting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.become({
      recordShard: () => merging.promise.then(() => undefined),
      commitGeneration: async () => committed({ exclusions: ['c3'] }),
      writeReport: () => reporting.promise,
    });
    const run = await world.federate();
    await world.untilCalled('recordShard');
    expect(await run.executeUpdate(excludeClusterUpdate, { args: ['c3'] })).toEqual({
      cluster: 'c3',
      from: 'in this run',
    });
    merging.resolve();
    await world.untilCalled('writeReport');
    const after = [
      await run.executeUpdate(excludeClusterUpdate, { args: ['c4'] }),
      await run.executeUpdate(excludeClusterUpdate, { args: ['c3'] }),
      await run.executeUpdate(includeClusterUpdate, { args: ['c3'] }),
    ];
    expect(after.map(({ from }) => from)).toEqual(['in the next', 'in this run', 'in the next']);
    reporting.resolve();
    await run.result();
  });

  it.each([
    ['in this run', ['c3']],
    ['in the next', []],
  ])('during the commit is answered by its result: %s', async (from, excluded) => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({
      commitGeneration: () => gate.promise.then(() => committed({ exclusions: [...excluded] })),
    });
    const run = await world.federate();
    await world.untilCalled('commitGeneration');
    const update = await run.startUpdate(excludeClusterUpdate, { args: ['c3'], waitForStage: 'ACCEPTED' });
    gate.resolve();
    expect(await update.result()).toEqual({ cluster: 'c3', from });
    await run.result();
  });

  it('is answered even if the commit fails', async () => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({ commitGeneration: () => gate.promise.then(() => Promise.reject(accessDenied)) });
    const run = await world.federate();
    await world.untilCalled('commitGeneration');
    const update = await run.startUpdate(excludeClusterUpdate, { args: ['c3'], waitForStage: 'ACCEPTED' });
    gate.resolve();
    expect(await update.result()).toEqual({ cluster: 'c3', from: 'in the next' });
    expect(await failureOfRun(run)).toMatchObject({ type: 'STORAGE_ACCESS_DENIED' });
  });

  it('is refused if it names an unknown cluster, or none', async () => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({ recordShard: () => gate.promise.then(() => undefined) });
    const run = await world.federate();
    await untilProgress(run, ({ planned }) => planned > 0);
    const update = (message: unknown) => run.executeUpdate('excludeCluster', { args: [message] });
    await expect(update('zebra')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('No cluster zebra is known to this run.') },
    });
    for (const message of rubbish)
      await expect(update(message)).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect((await handle.query(rosterState)).exclusions).toEqual({});
    gate.resolve();
    await run.result();
  });

  it('may name any cluster if the plan is too long to list them all', async () => {
    await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({
      planFederation: async () => planOf([2], { clusters: { count: 5000, ids: ['c1'] } }),
      recordShard: () => gate.promise.then(() => undefined),
    });
    const run = await world.federate();
    await untilProgress(run, ({ planned }) => planned > 0);
    const answer = await run.executeUpdate(excludeClusterUpdate, { args: ['c4711'] });
    expect(answer.from).toBe('in this run');
    gate.resolve();
    await run.result();
  });

  it('to a federation without a roster fails, and the run continues', async () => {
    await startRoster();
    await handle.terminate();
    const gate = Promise.withResolvers<void>();
    world.become({ recordShard: () => gate.promise.then(() => undefined) });
    const run = await world.federate();
    await run.signal(excludeCluster, 'c3');
    const update = run.executeUpdate(excludeClusterUpdate, { args: ['c3'] });
    await expect(update).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    gate.resolve();
    expect(await run.result()).toMatchObject({ outcome: 'complete' });
    expect(await run.query(progress)).toMatchObject({ phase: 'done' });
  });
});
