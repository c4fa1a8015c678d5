import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAddOwnName } from '../../activities/add-own-name';
import { createEnterPrimary } from '../../activities/enter-primary';
import { createPrimaryStatus } from '../../activities/primary-status';
import { silentLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import type { AcceptedSource, Generation, QuarantinedSource } from '../../federation/generation';
import { clusterEtlKey, generationKey } from '../../federation/layout';
import type { Exclusion } from '../../federation/membership';
import { updatePrimary } from '../../local-etl/primary';
import { type LocalEtl, localEtl } from '../../local-etl/store';
import type { DoctorReport } from '../../operator/doctor/check';
import { whoAmI } from '../../scripts/who';
import { ensureSchedule } from '../../workers/schedule';
import { reportConditions, type RosterState, rosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { snapshot } from '../activities/federated-bucket';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { committed, describedShard, planOf, pulled } from '../workflows/doubles';
import type { WorkflowWorld } from '../workflows/workflow-world';
import { FederationFolder } from './federation-folder';
import { runMain } from './run-main';
import { withWorldAndFolder } from './world-with-folder';

const day = 'allocations/1d/1794614400-1794700800';

let world: WorkflowWorld;
let federation: FederationFolder;
withWorldAndFolder((opened, created) => {
  world = opened;
  federation = created;
});

const run = (...argv: string[]) => runMain(...argv, '--config', federation.settings);
const json = async (...argv: string[]) => JSON.parse((await run(...argv, '--json')).out) as unknown;

/**
 * Starts a workflow that never ends on its own, and returns its handle. Disposing the handle terminates the workflow.
 */
async function start(workflow: 'roster' | 'pull' | 'push', workflowId: string, input: object) {
  await world.client.workflow.start(workflow, { ...world.options(workflowId), args: [input] });
  const handle = world.client.workflow.getHandle(workflowId);
  const terminate = () => handle.terminate().then(() => undefined);
  return Object.assign(handle, { [Symbol.asyncDispose]: terminate });
}

describeWithTemporal('status', () => {
  it('shows when the schedule starts the next federation, or why it does not', async () => {
    const missing = /^- The schedule is missing/m;
    // Before the first run, `status` lists only the steps of the set-up, so it does not mention the missing schedule.
    expect((await run('status')).out).not.toMatch(missing);
    await federation.run('federation-1', {});
    const { out: without } = await run('status');
    expect(without).toMatch(/^schedule {4}missing$/m);
    expect(without).toMatch(missing);
    const times = { firstRunAfterMs: 300_000, runEveryMs: 1_800_000 };
    await ensureSchedule(world.client, { idPrefix: '', ...times }, silentLog);
    const schedule = world.client.schedule.getHandle(names('').schedule);
    try {
      expect((await run('status')).out).toMatch(/^schedule {4}next run in [\dms ]+, every 30m$/m);
      await schedule.pause('ann: prices are wrong.');
      const { out } = await run('status');
      expect(out).toMatch(/^schedule {4}paused: ann: prices are wrong, every 30m$/m);
      expect(out).toMatch(
        /^- The schedule is paused: ann: prices are wrong\. To end the pause: `temporal schedule /m,
      );
      expect(await json('status')).toMatchObject({
        schedule: { everyMs: 1_800_000, paused: { note: 'ann: prices are wrong.' } },
      });
    } finally {
      await schedule.delete();
    }
  });
});

describeWithTemporal('status with a namespace that does not exist', () => {
  it('says so once, and shows the bucket', async () => {
    process.env['TEMPORAL_NAMESPACE'] = 'absent';
    const { out, status } = await run('status').finally(() => delete process.env['TEMPORAL_NAMESPACE']);
    expect(status).toBe(0);
    expect(out).toContain('bucket ');
    expect(out.match(/has no namespace absent/g)).toHaveLength(1);
    expect(out).not.toMatch(/does not answer|could not be read/);
  });
});

describeWithTemporal('status of processes', () => {
  const cluster = 'cluster-17';
  const reason = 'STORAGE_ACCESS_DENIED: The store says no.';
  const broken = { name: 'store', holds: 'no', reason, since: '2026-11-20T12:00:00Z' } as const;
  const failing = async () => {
    throw new FederationError('STORAGE_ACCESS_DENIED', { detail: 'The store says no.' });
  };
  const startPush = () =>
    start('push', names('').push(cluster), { cluster, instance: 'i', rescanEveryMs: 60_000 });

  it('shows a cluster that runs but has never pushed, and why', async () => {
    world.begin({ pushLocalEtl: failing });
    await using push = await startPush();
    await push.signal(reportConditions, { cluster, conditions: [{ ...broken, role: 'federatedCluster' }] });
    const out = await until('the cluster', async () => {
      const answer = await run('status');
      return answer.out.includes('has not pushed anything yet. Its pushes have failed')
        ? answer.out
        : undefined;
    });
    expect(out).toMatch(/^cluster-17 +not yet +never/m);
    expect(out).toMatch(/^- cluster-17 has not pushed .*STORAGE_ACCESS_DENIED: The store says no\. Check/m);
    expect(out).toMatch(/^- cluster-17, Federated Cluster, store, for .*: STORAGE_ACCESS_DENIED/m);
  });

  it('is part of what doctor reports, beside its own checks', async () => {
    writeFileSync(
      federation.settings,
      JSON.stringify({
        ...(JSON.parse(readFileSync(federation.settings, 'utf8')) as object),
        clusterId: cluster,
        federatedETL: { federatedCluster: true },
      }),
    );
    const examined = async () => {
      const { checks } = JSON.parse((await run('doctor', '--json')).out) as DoctorReport;
      return checks.filter(({ subject }) => subject === 'running process');
    };
    expect(await examined()).toMatchObject([{ outcome: 'ok', detail: expect.stringContaining('none runs') }]);
    await using push = await startPush();
    const report = async (changes: object) => {
      const condition = { ...broken, ...changes, role: 'federatedCluster' } as const;
      await push.signal(reportConditions, { cluster, conditions: [condition] });
    };
    await report({});
    expect(await examined()).toMatchObject([
      {
        outcome: 'warning',
        detail: expect.stringContaining(reason),
        todo: expect.stringContaining('restart it'),
      },
    ]);
    await report({ holds: 'yes', reason: 'The file cannot be used.' });
    expect(await examined()).toMatchObject([
      { outcome: 'warning', detail: expect.stringContaining('The file cannot be used.') },
    ]);
    await report({ holds: 'yes', reason: undefined });
    expect(await examined()).toMatchObject([
      { outcome: 'ok', detail: expect.stringContaining('no condition') },
    ]);
  });

  it('does not take the last conditions of ended workflows for those of today', async () => {
    await federation.push('cluster-3', day);
    const roster = await start('roster', names('').roster, { bucket: federation.bucket.label });
    await roster.signal(reportConditions, { cluster, conditions: [{ ...broken, role: 'federator' }] });
    await until('the conditions', async () => (await run('status')).out.includes('Federator, store'));
    await roster.terminate();
    const { out } = await run('status');
    expect(out).toMatch(/^The roster has ended \(terminated at \d/m);
    expect(out).not.toContain('Federator, store');
  });
});

describeWithTemporal('exclude and include', () => {
  const startRoster = () => start('roster', names('').roster, { bucket: federation.bucket.label });

  // A roster answers queries even after it has ended. The roster of these tests knows a generation in their bucket, and
  // must not answer the queries of later tests. So start a new roster, which knows no generation, and end it.
  afterAll(async () => {
    await using _ = await startRoster();
  });

  it('change who is excluded, and report from when on', async () => {
    await federation.push('cluster-3', day);
    await using roster = await startRoster();
    const exclusions = () =>
      until('the roster', async () => {
        const { loaded, exclusions: found } = await roster.query<RosterState>(rosterState);
        return loaded ? found : undefined;
      });
    expect(await run('exclude', 'cluster-3', '--reason', 'wrong prices')).toEqual({
      status: 0,
      out: 'cluster-3 is excluded from the next federation on; until that federation commits, only Temporal knows this.\n',
      err: '',
    });
    expect(await exclusions()).toMatchObject({ 'cluster-3': { reason: 'wrong prices' } });
    expect(await run('include', 'cluster-3')).toEqual({
      status: 0,
      out: 'cluster-3 is included from the next federation on; until that federation commits, only Temporal knows this.\n',
      err: '',
    });
    expect(await exclusions()).toEqual({});
  });

  it('show a reason escaped, that a terminal would obey', async () => {
    await federation.push('cluster-3', day);
    await using roster = await startRoster();
    await until('the roster', async () => (await roster.query<RosterState>(rosterState)).loaded || undefined);
    const reason = '\u001b[31mRED\u001b]0;pwn\u0007\u009b\u202e\nX';
    const shown = '\\u001b[31mRED\\u001b]0;pwn\\u0007\\u009b\\u202e';
    await run('exclude', 'cluster-3', '--reason', reason);
    expect((await run('status')).out).toContain(shown);
    const { out } = await run('status', '--json');
    expect(out).toContain(shown);
    expect(JSON.stringify(JSON.parse(out))).toContain(JSON.stringify(reason).slice(1, -1));
    await run('include', 'cluster-3');
  });

  it('change nothing if no person has excluded the cluster, and say if the settings do', async () => {
    for (const id of ['cluster-2', 'cluster-3']) await federation.push(id, day);
    const excluded = { [clusterId('cluster-2')]: { by: 'settings', reason: 'not listed' } as const };
    await federation.commit(1, ['cluster-3'], [day], { excluded });
    await using roster = await startRoster();
    const { runId } = await roster.describe();
    await until('the roster', async () => (await roster.query<RosterState>(rosterState)).loaded || undefined);
    expect(await run('include', 'cluster-3', '--wait')).toEqual({
      status: 0,
      out: 'cluster-3 is not excluded. Nothing was changed.\n',
      err: '',
    });
    expect(await run('include', 'cluster-2', '--federate')).toEqual({
      status: 1,
      out: 'cluster-2 is excluded by the settings of the federator (not listed). Only a change of these settings includes it. Nothing was changed.\n',
      err: '',
    });
    expect(world.names()).not.toContain('recordRequest');
    const { events } = await world.client.workflow.getHandle(names('').roster, runId).fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toEqual([]);
  });

  it('start a federation that takes them on request', async () => {
    await federation.push('cluster-3', day);
    await using _ = await startRoster();
    const { run: started } = (await json('exclude', 'cluster-3', '--federate')) as { run: string };
    expect(started).toMatch(/^federation-.*-person$/);
    await world.client.workflow.getHandle(started).result();
    expect(world.inputs('recordRequest')).toMatchObject([{ request: { why: 'exclude cluster-3' } }]);
  });

  it('wait until a generation says so', async () => {
    await federation.push('cluster-3', day);
    await federation.commit(1, ['cluster-3'], [day]);
    await using _ = await startRoster();
    const exclusions: Record<string, Exclusion> = { 'cluster-3': { reason: 'wrong prices', at: '…' } };
    let commits = 1;
    world.become({
      commitGeneration: async () => {
        await federation.commit(++commits, ['cluster-3'], [day], { exclusions });
        return committed({ generation: commits, quarantined: 1 });
      },
    });
    expect(await run('exclude', 'cluster-3', '--reason', 'wrong prices', '--wait')).toMatchObject({
      status: 3,
      out: 'cluster-3 is excluded: generation 2 says so.\n',
      err: expect.stringMatching(/Federator partial: .*, 1 quarantined source/),
    });
    expect(world.inputs('recordRequest')).toMatchObject([
      { request: { trigger: 'person', why: 'exclude cluster-3: wrong prices' } },
    ]);
    // If the newest generation already contains the change, no run is started.
    expect(await json('exclude', 'cluster-3', '--wait')).toMatchObject({ generation: 2 });
    expect(world.inputs('recordRequest')).toHaveLength(1);
    // Now a run is started, but it commits a generation in which cluster-3 is still excluded.
    expect(await run('include', 'cluster-3', '--wait')).toMatchObject({
      status: 1,
      out: expect.stringMatching(/^cluster-3 is included .*only Temporal knows this\.\n$/),
    });
  });

  it('apply to the run in progress while it can still take them', async () => {
    await federation.push('cluster-3', day);
    await using _ = await startRoster();
    const gate = Promise.withResolvers<void>();
    world.become({
      planFederation: async ({ attempt }) =>
        planOf([2], { attempt, clusters: { count: 1, ids: ['cluster-3'] } }),
      describeShard: ({ shard }) => gate.promise.then(() => describedShard(2, shard)),
    });
    const running = await world.federate();
    await world.untilCalled('describeShard');
    expect((await run('exclude', 'cluster-3')).out).toBe(
      'cluster-3 is excluded in the run in progress; until that run commits, only Temporal knows this.\n',
    );
    gate.resolve();
    await running.result();
  });

  it('refuse a cluster that the bucket does not know, and list those that it knows', async () => {
    await federation.push('cluster-3', day);
    await federation.commit(1, ['cluster-3'], [day]);
    for (const verb of ['exclude', 'include']) {
      const { status, out, err } = await run(verb, 'cluster-33');
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toMatch(/^CLUSTER_UNKNOWN: .*cluster-33 .*: cluster-3\. \(cluster cluster-33\)\n/);
      // Every JavaScript object inherits a property named `constructor`. It must not be taken for a cluster.
      expect((await run(verb, 'constructor')).err).toMatch(/^CLUSTER_UNKNOWN: /);
    }
  });

  it('fail if no federator was ever started', async () => {
    await federation.push('cluster-3', day);
    const { status, err } = await run('include', 'cluster-3');
    expect(status).toBe(1);
    expect(err).toMatch(
      /^TEMPORAL_UNAVAILABLE: No roster runs .*\n {2}If a federator runs, .*temporal\.address/,
    );
  });
});

describeWithTemporal('cluster', () => {
  const cluster = clusterId('cluster-3');
  const removal = { by: 'kim@host', reason: 'sold', at: '2026-01-01T00:00:00Z', lastGeneration: 1 };
  const store = () => join(federation.folder, 'federated-store.yaml');

  /**
   * Commits generation 1 with two clusters. Makes the next run commit generation 2, whose clusters are `next` and whose
   * removed clusters are `removed`.
   */
  async function federated(
    next: readonly string[],
    removed: Generation['membership']['removed'] = {},
    quarantined = 0,
  ) {
    for (const id of ['cluster-1', 'cluster-3']) await federation.push(id, day);
    await federation.commit(1, ['cluster-1', 'cluster-3'], [day]);
    world.become({
      commitGeneration: async () => {
        await federation.commit(2, next, [day], { removed });
        return committed({ generation: 2, quarantined });
      },
    });
  }
  async function alreadyRemoved() {
    await federated(['cluster-1']);
    await federation.commit(2, ['cluster-1'], [day], { removed: { [cluster]: removal } });
  }

  it('remove records the decision and waits until it is committed, though the run be partial', async () => {
    await federated(['cluster-1'], { [cluster]: removal }, 1);
    const { status, out } = await run(
      'cluster',
      'remove',
      'cluster-3',
      '--reason',
      'sold',
      '--yes',
      '--wait',
    );
    expect(status).toBe(3);
    expect(out).toMatch(/Federator partial: [^]*\ncluster-3 is removed since generation 2\.\n$/);
    expect(world.inputs('recordRequest')).toMatchObject([
      {
        request: {
          trigger: 'person',
          by: expect.stringMatching(/^.+@.+$/),
          why: 'sold',
          change: { kind: 'remove', cluster },
        },
      },
    ]);
    expect(await run('cluster', 'remove', 'cluster-3')).toMatchObject({
      status: 0,
      out: 'cluster-3 is already removed by kim@host at 2026-01-01T00:00:00Z: sold. Nothing was changed.\n',
    });
    expect((await run('exclude', 'cluster-3')).err).toMatch(/^CLUSTER_REMOVED: .*\n.*cluster restore/);
  });

  it('remove fails if the run did not commit it', async () => {
    await federated(['cluster-1', 'cluster-3']);
    const { status, err } = await run('cluster', 'remove', 'cluster-3', '--yes', '--wait');
    expect(status).toBe(1);
    expect(err).toMatch(/REMOVAL_NOT_COMMITTED: cluster-3 is not removed in generation 2\./);
  });

  it('remove asks, and dry only shows the plan', async () => {
    await federated(['cluster-1']);
    expect(await run('cluster', 'remove', 'cluster-3')).toMatchObject({ status: 2 });
    const { out } = await run('cluster', 'remove', 'cluster-3', '--dry-run', '--reason', 'sold');
    expect(out).toMatch(/^1 cluster in: cluster-1\nremoved: cluster-3 \(removed by .*: sold\)\nwould merge /);
    expect((await run('cluster', 'remove', 'cluster-33', '--yes')).err).toMatch(/^CLUSTER_UNKNOWN/);
    expect(world.names()).not.toContain('recordRequest');
  });

  it('restore brings a removed cluster back, and says if its history is gone', async () => {
    await alreadyRemoved();
    await federation.bucket.delete(generationKey(1));
    world.become({
      commitGeneration: async () => {
        await federation.commit(3, ['cluster-1', 'cluster-3'], [day]);
        return committed({ generation: 3 });
      },
    });
    const { status, out } = await run('cluster', 'restore', 'cluster-3', '--wait');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^No generation has the history of cluster-3[^]*\ncluster-3 is restored since generation 3\.\n$/,
    );
    expect((await run('cluster', 'restore', 'cluster-3')).out).toBe(
      'cluster-3 is not removed. Nothing was changed.\n',
    );
  });

  describe('remove --delete-files', () => {
    const remove = (...argv: string[]) =>
      run('cluster', 'remove', 'cluster-3', '--delete-files', '--store', store(), '--yes', ...argv);
    const keys = () => snapshot(federation.bucket, 'federated/cluster-').then(Object.keys);
    const all = ['cluster-1', 'cluster-3'].map((id) => clusterEtlKey(clusterId(id), day));
    const lastPushAt = (hoursAgo: number) => {
      const at = Date.now() / 1_000 - hoursAgo * 3_600;
      utimesSync(join(federation.folder, 'bucket', all[1] ?? ''), at, at);
    };

    it('deletes the files of the cluster alone, once it no longer pushes', async () => {
      await federated(['cluster-1'], { [cluster]: removal });
      expect(await remove()).toMatchObject({
        status: 1,
        err: expect.stringMatching(/^CLUSTER_STILL_PUSHES: cluster-3 pushed .* ago, by the store's clock\./),
      });
      lastPushAt(1.1);
      expect((await remove('--dry-run')).out).toMatch(
        /\nwould delete federated\/cluster-3\/.*\n1 file \(.*\) to delete\. Nothing was changed\.\n$/,
      );
      expect(world.names()).not.toContain('recordRequest');
      expect(await keys()).toEqual(all);
      expect(await remove()).toMatchObject({
        status: 0,
        out: expect.stringMatching(/\nDeleted 1 file of cluster-3; 0 are left\.\n$/),
      });
      expect(await keys()).toEqual(all.slice(0, 1));
      expect((await remove()).out).toBe('Deleted 0 files of cluster-3; 0 are left.\n');
    });

    it('refuses while a worker serves the push workflow', async () => {
      await alreadyRemoved();
      lastPushAt(2);
      // The check requires only that a worker has served a workflow with this id. So a workflow of any type will do.
      await using _ = await start('roster', names('').push('cluster-3'), { bucket: federation.bucket.label });
      expect((await remove()).err).toMatch(/^CLUSTER_STILL_PUSHES: A worker has served the push workflow/);
      expect(await keys()).toEqual(all);
    });

    it('refuses the store of another bucket, and needs --store', async () => {
      await alreadyRemoved();
      await using other = await FederationFolder.create();
      await other.push('cluster-3', day);
      const at = Date.now() / 1_000 - 7_200;
      utimesSync(join(other.folder, 'bucket', all[1] ?? ''), at, at);
      const file = join(other.folder, 'federated-store.yaml');
      const { err } = await run('cluster', 'remove', 'cluster-3', '--yes', '--delete-files', '--store', file);
      expect(err).toMatch(/^REMOVAL_NOT_COMMITTED: /);
      expect(await run('cluster', 'remove', 'cluster-3', '--delete-files')).toMatchObject({ status: 2 });
    });
  });
});

describeWithTemporal('federate', () => {
  it('names the run that it started', async () => {
    const { status, out } = await run('federate');
    expect(status).toBe(0);
    const [id] = /^federation-\S+-person(?= has started)/.exec(out) ?? [];
    expect(await world.client.workflow.getHandle(id ?? '').result()).toMatchObject({ outcome: 'complete' });
    const started = (await json('federate')) as { run: string };
    expect(started).toEqual({ run: expect.stringMatching(/^federation-.*-person$/) });
    await world.client.workflow.getHandle(started.run).result();
  });

  it('passes its options on to the run', async () => {
    const flags = ['--force', '--full', '--take-over', '--new-federation'];
    await run('federate', ...flags, '--window', '1794614400,1794700800', '--wait');
    const [input] = world.inputs('recordRequest');
    expect(input).toMatchObject({
      request: {
        trigger: 'person',
        force: true,
        full: true,
        takeOver: true,
        newFederation: true,
        windows: { start: 1794614400, end: 1794700800 },
      },
    });
  });

  it('waits, shows the phases and reports the outcome', async () => {
    const { status, out, err } = await run('federate', '--wait');
    expect(status).toBe(0);
    expect(out).toMatch(/Federator complete: generation 1, 5 clusters, 2 windows, 2 merged\n$/);
    expect(err).toMatch(/^ {2}Federator /);
    expect(await json('federate', '--wait')).toMatchObject({ outcome: 'complete', generation: 1 });
    world.become({ commitGeneration: async () => committed({ quarantined: 1, shrunk: 2 }) });
    expect((await run('federate', '--wait')).out).toMatch(
      / partial: generation 1, 5 clusters, 2 windows, 2 merged, 1 quarantined source, 2 shrunk sources\n$/,
    );
  });

  it('waits no longer than it may, and leaves the run alone', async () => {
    const gate = Promise.withResolvers<void>();
    world.become({
      planFederation: ({ attempt }) => gate.promise.then(() => planOf([1], { attempt })),
    });
    const { status, out, err } = await run('federate', '--timeout', '1ms');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    const [, id = ''] =
      /^WAIT_TIMED_OUT: .*goes on\. \(key (.*)\)\n {2}Nothing was cancelled/m.exec(err) ?? [];
    gate.resolve();
    expect(await world.client.workflow.getHandle(id).result()).toMatchObject({ outcome: 'complete' });
  });

  it('fails with the code of a run that fails', async () => {
    const error = new FederationError('STORAGE_ACCESS_DENIED', { detail: 'No access to the bucket.' });
    world.become({ planFederation: () => Promise.reject(error) });
    const { status, out, err } = await run('federate', '--wait');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/STORAGE_ACCESS_DENIED: No access to the bucket\. \(key federation-\S+-person\)/);
    expect(err).toMatch(/`federated-etl replay federation-\S+-person` starts it again\.\n$/);
  });

  it.each([
    ['cancel', /^FEDERATION_FAILED: The run was cancelled\. .*\n.* starts it again\.\n$/m],
    ['terminate', /^RUN_DIED: The run ended without a report: .*\n.* starts it again\.\n$/m],
  ] as const)('fails if a person does this to the run: %s', async (how, said) => {
    const gate = Promise.withResolvers<void>();
    world.become({ planFederation: () => gate.promise.then(() => planOf([])) });
    const waiting = run('federate', '--wait');
    await world.untilCalled('planFederation');
    const [asked] = world.inputs('recordRequest');
    await world.client.workflow.getHandle(asked?.run ?? '')[how]();
    const { status, err } = await waiting;
    gate.resolve();
    expect({ status, err }).toEqual({ status: 1, err: expect.stringMatching(said) });
  });

  it('dry, shows what it would do and starts nothing', async () => {
    for (const cluster of ['cluster-1', 'cluster-2']) await federation.push(cluster, day);
    const { status, out } = await run('federate', '--dry-run');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^2 clusters in: cluster-1, cluster-2\nwould merge allocations 1d 2026-11-14 from 2 clusters\n/,
    );
    expect(out).toMatch(/\n1 window to merge, 0 as they are in generation 0\. Nothing was changed\.\n$/);
    expect(await json('federate', '--dry-run')).toMatchObject({
      base: 0,
      windows: [{ window: day, clusters: ['cluster-1', 'cluster-2'] }],
    });
    expect(world.names()).not.toContain('planFederation');
  });
});

describeWithTemporal('rollback', () => {
  it('says what it brings back, asks, and holds the federation until it is resumed', async () => {
    for (const cluster of ['cluster-1', 'cluster-2']) await federation.push(cluster, day);
    await federation.commit(1, ['cluster-1'], [day]);
    await federation.commit(2, ['cluster-1', 'cluster-2'], [day]);
    const dry = await run('rollback', '1', '--dry-run');
    expect(dry.out).toMatch(/^Generation 1, committed .* ago, has 1 window of 1 cluster to bring back\.\n/);
    expect(dry.out).toContain('cluster-2 is not in it, and comes back with the end of the hold.\n');
    expect(await run('rollback', '1')).toMatchObject({ status: 2, err: expect.stringContaining('--yes') });
    expect(await run('rollback', '7', '--yes')).toMatchObject({ status: 1, out: '' });
    expect(world.names()).toEqual([]);

    const started = await run('rollback', '1', '--yes', '--wait', '--reason', 'too low');
    expect(started).toMatchObject({ status: 0, out: expect.stringContaining('Federator complete') });
    const [asked] = world.inputs('recordRequest');
    expect(asked).toMatchObject({
      request: { change: { kind: 'rollback', to: 1 }, why: 'too low', by: expect.stringContaining('@') },
    });

    const hold = { generation: 1, by: 'ann@host', reason: 'too low', at: '2026-11-20T00:00:00Z' };
    await federation.commit(3, ['cluster-1'], [day], { hold });
    for (const verb of [['federate'], ['federate', '--force', '--full', '--take-over', '--wait']]) {
      const refused = await run(...verb);
      expect(refused).toMatchObject({ status: 1, out: '' });
      expect(refused.err).toMatch(/^FEDERATION_ON_HOLD: .*ann@host.*too low.*federate --resume/);
    }
    expect((await run('federate', '--dry-run')).out).toMatch(
      /^On hold: ann@host .* Nothing was changed\.\n$/,
    );
    expect((await run('status')).out).toContain('On hold: ann@host rolled back to generation 1');
    expect((await run('federate', '--resume', '--from', '2', '--wait')).status).toBe(0);
    expect(world.inputs('recordRequest').at(-1)).toMatchObject({ request: { resume: true, from: 2 } });
  });

  it('exits with 1 if the federation is held only when the run plans', async () => {
    const heldBy = { generation: 4, by: 'ann@host', reason: '', at: '2026-11-20T00:00:00Z' };
    world.become({ planFederation: async () => planOf([], { outcome: 'on-hold', base: 9, heldBy }) });
    const { status, out } = await run('federate', '--wait');
    expect(status).toBe(1);
    expect(out).toMatch(/Federator on-hold: On hold: ann@host rolled back to generation 4/);
  });
});

describeWithTemporal('accept and quarantine drop', () => {
  const quarantined: QuarantinedSource = {
    cluster: clusterId('cluster-2'),
    window: day as WindowId,
    seen: 'absent',
    code: 'SOURCE_VANISHED',
    detail: 'The file is gone from the cluster’s folder.',
  };
  const change = { cluster: 'cluster-2', generation: 1 };

  /** Makes the next run commit a generation with these sources. */
  const committing = (
    sources: { quarantined?: QuarantinedSource[]; accepted?: AcceptedSource[] },
    quarantined = 0,
  ) =>
    world.become({
      commitGeneration: async () => {
        await federation.commit(2, ['cluster-1'], [day], sources);
        return committed({ generation: 2, quarantined });
      },
    });

  beforeEach(async () => {
    await federation.push('cluster-1', day);
    await federation.commit(1, ['cluster-1'], [day], { quarantined: [quarantined] });
  });

  it('start a federation that commits the decision, listed with who and why', async () => {
    const { status, out } = await run('accept', 'cluster-2', '--reason', 'it was idle', '--yes');
    expect(status).toBe(0);
    expect(out).toMatch(/allocations +1d 2026-11-14 +refused +SOURCE_VANISHED +The file is gone/);
    const [id = ''] = /federation-\S+-person(?= has started)/.exec(out) ?? [];
    await world.client.workflow.getHandle(id).result();
    const asked = { by: whoAmI(), why: 'it was idle', change: { kind: 'accept', ...change } };
    expect(world.inputs('recordRequest')).toMatchObject([{ request: asked }]);
    expect(world.inputs('planFederation')).toMatchObject([{ request: asked }]);
    const described = 'accept cluster-2 as listed in generation 1';
    expect((await run('runs')).out).toContain(`${described}, as decided by ${whoAmI()}: it was idle\n`);
    const { runs } = (await json('runs')) as { runs: { run: string }[] };
    expect(runs.find(({ run: other }) => other === id)).toMatchObject(asked);
  });

  it('wait, and report whether the decision was committed', async () => {
    const decided = { by: 'ann@host', reason: '', at: '2026-11-20T12:00:00Z' };
    // The dropped source of cluster-2 no longer counts as quarantined. The 1 stands for a source of another cluster, so
    // the run is still partial.
    committing({ quarantined: [{ ...quarantined, dropped: decided }] }, 1);
    const dropped = await run('quarantine', 'drop', 'cluster-2', '--yes', '--wait');
    expect(dropped).toMatchObject({ status: 3 });
    expect(dropped.out).toMatch(/Federator partial: [^]*\n1 source of cluster-2 is dropped\.\n$/);
    committing({ quarantined: [quarantined] }, 1);
    const accepted = await run('accept', 'cluster-2', '--yes', '--wait');
    expect(accepted.status).toBe(1);
    expect(accepted.out).toMatch(
      /\n0 sources of cluster-2 are accepted\.\nThese are not: .*\n.*\nallocations/,
    );
    committing({ accepted: [{ ...change, ...quarantined, decided }] });
    expect(await json('accept', 'cluster-2', '--yes', '--wait')).toMatchObject({
      generation: 2,
      undecided: [],
    });
  });

  it('give a cluster name away', async () => {
    const [one, two] = [clusterId('cluster-1'), clusterId('cluster-2')];
    await federation.push('cluster-2', day);
    await federation.commit(1, [one, two], [day], { names: { shared: one } });
    world.become({
      commitGeneration: async () => {
        await federation.commit(2, [one, two], [day], { names: { shared: two } });
        return committed({ generation: 2, quarantined: 1 });
      },
    });
    const { status, out } = await run('accept', 'cluster-2', '--name', 'shared', '--yes', '--wait');
    expect(status).toBe(3);
    expect(out).toMatch(/\ncluster-2 owns the name shared now\.\n$/);
    expect(world.inputs('planFederation')).toMatchObject([
      { request: { by: whoAmI(), change: { kind: 'give-name', cluster: 'cluster-2', name: 'shared' } } },
    ]);
  });
});

describeWithTemporal('--dry-run', () => {
  const hour = 'assets/1h/1794816000-1794819600';
  const ended = /\n\d windows? to merge, \d as they are in generation 2\. Nothing was changed\.\n$/;
  const files = async () => Object.keys(await snapshot(federation.bucket, ''));

  it('of each verb that starts a federation shows its plan, and writes nothing', async () => {
    for (const cluster of ['cluster-1', 'cluster-2'])
      for (const window of [day, hour]) await federation.push(cluster, window);
    await federation.commit(1, ['cluster-1', 'cluster-2'], [day, hour]);
    const vanished: QuarantinedSource = {
      cluster: clusterId('cluster-2'),
      window: 'allocations/1d/1794700800-1794787200' as WindowId,
      seen: 'absent',
      code: 'SOURCE_VANISHED',
      detail: 'The file is gone from the cluster’s folder.',
    };
    const [one, two] = [clusterId('cluster-1'), clusterId('cluster-2')];
    await federation.commit(2, [one, two], [day, hour], {
      quarantined: [vanished],
      names: { shared: one },
    });
    const before = await files();
    for (const argv of [
      ['federate'],
      ['accept', 'cluster-2'],
      ['accept', 'cluster-2', '--name', 'shared'],
      ['quarantine', 'drop', 'cluster-2'],
      ['cluster', 'remove', 'cluster-2'],
      ['include', 'cluster-2'],
    ]) {
      const { status, out } = await run(...argv, '--dry-run');
      expect({ argv, status, out }).toEqual({ argv, status: 0, out: expect.stringMatching(ended) });
    }
    expect((await run('accept', 'cluster-2', '--dry-run')).out).toMatch(/^Listed in generation 2:\n/);
    expect(await json('accept', 'cluster-2', '--dry-run')).toMatchObject({
      base: 2,
      outcome: 'work',
      sources: [{ code: 'SOURCE_VANISHED' }],
    });
    const excluded = await run('exclude', 'cluster-2', '--reason', 'wrong prices', '--dry-run');
    expect(excluded.out).toMatch(
      /^1 cluster in: cluster-1\nexcluded by person: cluster-2 \(wrong prices\)\n/,
    );
    const back = await run('rollback', '1', '--dry-run');
    expect(back.out).toMatch(/^Generation 1, committed [^]* in generation 1\. Nothing was changed\.\n$/);
    expect(await files()).toEqual(before);
    expect(world.names()).not.toContain('recordRequest');
  });
});

describeWithTemporal('primary', () => {
  let volume: LocalEtl;
  beforeEach(() => {
    const folder = join(federation.folder, 'etl');
    mkdirSync(folder);
    volume = localEtl(folder);
    const cluster = clusterId('cluster-5');
    world.begin({
      primaryStatus: createPrimaryStatus({ cluster, store: volume }),
      enterPrimary: createEnterPrimary({ store: volume, now: () => new Date('2026-11-20T00:00:00Z') }),
      addOwnName: createAddOwnName({ store: volume }),
      pullCombined: async () => pulled,
    });
  });
  const startPull = () =>
    start('pull', names('').pull('cluster-5'), { cluster: 'cluster-5', pullEveryMs: 3_600_000 });
  const primary = (verb: string, ...argv: string[]) =>
    run('primary', verb, ...argv, '--cluster', 'cluster-5');

  it("status shows the volume's state", async () => {
    await using _ = await startPull();
    expect(await primary('status')).toMatchObject({
      status: 0,
      out: 'cluster-5 is a primary, and has not pulled yet\n  own names: cluster-5\n',
    });
    const waitingSince = new Date(Date.now() - 3_600_000).toISOString();
    await updatePrimary(volume, {
      waitingFor: 'cluster-5 has two windows that no generation has.',
      waitingSince,
    });
    expect((await primary('status')).out).toMatch(
      /^cluster-5 waits .*\n {2}waits for 1h.*; .*federation.*\n {2}cluster-5 has two windows/,
    );
    expect(JSON.parse((await primary('status', '--json')).out)).toMatchObject({
      state: 'waiting',
      waitingSince,
      ownNames: ['cluster-5'],
      refused: { count: 0 },
    });
  });

  it('enter makes a primary that left pull again, once', async () => {
    await using _ = await startPull();
    await updatePrimary(volume, { leftAt: '2026-11-19T00:00:00Z' });
    expect((await primary('status')).out).toMatch(/^cluster-5 has left/);
    expect((await primary('enter')).out).toMatch(/^cluster-5 pulls; its local ETL is backed up before/);
    expect((await primary('enter')).out).toBe('cluster-5 is a primary already.\n');
    await updatePrimary(volume, { waitingFor: 'Its own windows.' });
    expect(JSON.parse((await primary('enter', '--without-waiting', '--json')).out)).toEqual({
      cluster: 'cluster-5',
      entered: true,
    });
    expect(JSON.parse((await primary('status', '--json')).out)).toMatchObject({
      state: 'entered',
      guardPassedAt: '2026-11-20T00:00:00.000Z',
    });
  });

  it('leave reports where its windows came from', async () => {
    await using _ = await startPull();
    expect((await primary('leave', '--dry-run')).out).toMatch(
      /^cluster-5 would no longer pull\.\n[^]*\n?0 windows to restore, .* Nothing was changed\.\n$/,
    );
    expect((await primary('leave')).out).toMatch(
      /^cluster-5 no longer pulls, .*\n1 window restored from its folder, 0 from a backup/,
    );
    expect(world.inputs('leavePrimary')).toEqual([{ dryRun: true }, { dryRun: false }]);
  });

  it('names lists the names of its own records, and adds to them', async () => {
    await using _ = await startPull();
    expect((await primary('names')).out).toBe('cluster-5\n');
    expect((await primary('names', '--add', 'old-name')).out).toBe('cluster-5\nold-name\n');
    expect(JSON.parse((await primary('names', '--json')).out)).toEqual({
      cluster: 'cluster-5',
      ownNames: ['cluster-5', 'old-name'],
    });
  });

  it('passes on its worker’s failure', async () => {
    await using _ = await startPull();
    const error = new FederationError('STORAGE_ACCESS_DENIED', { detail: 'No access to the folder.' });
    world.become({
      primaryStatus: () => Promise.reject(error),
      addOwnName: () => Promise.reject(error),
      enterPrimary: () => Promise.reject(error),
    });
    for (const [verb, ...argv] of [['status'], ['names', '--add', 'x'], ['enter']] as const) {
      const { status, out, err } = await primary(verb, ...argv);
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toMatch(/^STORAGE_ACCESS_DENIED: No access to the folder\. \(cluster cluster-5\)\n/);
    }
  });

  it.each(['status', 'enter', 'leave', 'names'])(
    '%s refuses a cluster that was never a primary',
    async (verb) => {
      const { status, out, err } = await run('primary', verb);
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toMatch(/^CLUSTER_UNKNOWN: No pull of cluster-4 runs .*\n {2}.*--cluster/);
    },
  );
});
