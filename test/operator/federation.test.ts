import type { Client } from '@temporalio/client';
import { catalog } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import { federatedPrefix } from '../../federation/layout';
import { federationOf } from '../../operator/federation';
import type { Bucket, Version } from '../../storage/bucket';
import { names } from '../../workflows/names';
import { overriding } from '../activities/federated-bucket';
import { dayWindow } from '../federation/made-up';
import { FederationFolder } from '../scripts/federation-folder';

const day = dayWindow(0);
const decided = { by: 'ann@host', reason: 'numbers are wrong', at: '2026-11-20T12:00:00Z' };
let folder: FederationFolder;
beforeEach(async () => {
  folder = await FederationFolder.create();
  await folder.push('cluster-1', day);
  await folder.commit(1, ['cluster-1'], [day]);
});
afterEach(() => folder[Symbol.asyncDispose]());

/** Makes the data source of the web page. Without a client, its Temporal server cannot be reached. */
const federation = (bucket: Bucket = folder.bucket, client?: Client) =>
  federationOf(
    {
      settings: {
        temporal: { namespace: 'default', idPrefix: '' } as never,
        federator: { firstRunAfterMs: 300_000, runEveryMs: 3_600_000 } as never,
      },
      names: names(''),
      bucket: async () => bucket,
      temporal: async () => {
        if (client !== undefined) return { client };
        throw new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'Temporal is away.' });
      },
    },
    {},
  );

/** The bucket of a primary that may read only Combined Storage. */
const withoutFiles = () =>
  overriding(folder.bucket, {
    list: (prefix, options) => {
      if (prefix === federatedPrefix) throw new FederationError('STORAGE_ACCESS_DENIED', { detail: '' });
      return folder.bucket.list(prefix, options);
    },
  });

test('a hold is part of the status and of its generation, as long as it stands', async () => {
  expect(await federation().status()).not.toHaveProperty('hold');
  const hold = { ...decided, generation: 1 };
  await folder.commit(3, ['cluster-1'], [day], { hold, replaces: { generation: 2 } });
  expect(await federation().status()).toMatchObject({ hold, missing: [expect.stringContaining('away')] });
  expect(await federation().generations()).toMatchObject([
    { generation: 3, hold, replaces: 2, decision: { ...decided, what: 'roll back to generation 1' } },
    { generation: 1 },
  ]);
  await folder.commit(4, ['cluster-1'], [day]);
  await folder.run('federation-4', { trigger: 'person', by: 'ann@host', resume: true }, {});
  expect(await federation().status()).not.toHaveProperty('hold');
  expect(await federation().generations()).toMatchObject([
    { generation: 4, decision: { what: 'resume', by: 'ann@host' } },
    { generation: 3 },
    { generation: 1 },
  ]);
  expect(await federation().federations(1)).toMatchObject([{ change: 'resume', by: 'ann@host' }]);
});

test('what readers of the costs should know is part of the status', async () => {
  const source = {
    cluster: clusterId('cluster-1'),
    window: day,
    seen: 'v' as Version,
    code: 'ETL_CORRUPT',
    detail: '',
  };
  await folder.commit(2, ['cluster-1'], [day], { quarantined: [source] });
  expect(await federation().status()).toMatchObject({
    notes: ['Files that cannot be used are quarantined: cluster-1 (no data in 1 window).'],
  });
});

test('that two agents push to one folder is a thing to do until a generation no longer says so', async () => {
  const cluster = clusterId('cluster-1');
  const notice = (code: 'FOLDER_TWO_WRITERS' | 'WINDOW_MISALIGNED') => ({
    cluster,
    code,
    count: 1,
    example: 'x',
  });
  await folder.commit(2, ['cluster-1'], [day], {
    notices: [notice('FOLDER_TWO_WRITERS'), notice('WINDOW_MISALIGNED')],
  });
  const aboutWriters = async () => {
    const { toDo } = await federation().status();
    return toDo.filter((step) => step.includes('cluster-1'));
  };
  expect(await aboutWriters()).toEqual([
    expect.stringMatching(/^FOLDER_TWO_WRITERS: cluster-1: Two agents .*clusterId.*\.federated-etl/),
  ]);
  await folder.commit(3, ['cluster-1'], [day], { notices: [notice('WINDOW_MISALIGNED')] });
  expect(await aboutWriters()).toEqual([]);
});

test('a cluster that has gone silent is named as such, unless the pushes cannot be seen', async () => {
  const silence = { state: 'late', usualMs: 86_400_000 };
  expect(await federation().status()).toMatchObject({ clusters: [{ silence: { state: 'on-time' } }] });
  folder.lastPushed('cluster-1', day, 80);
  expect(await federation().status()).toMatchObject({ clusters: [{ cluster: 'cluster-1', silence }] });
  const { clusters } = await federation(withoutFiles()).status();
  expect(clusters).toEqual([{ cluster: 'cluster-1', membership: 'in' }]);
});

describe('what Temporal knows', () => {
  const since = '2026-11-20T12:00:00Z';
  const broken = (role: string, name: string) => ({ role, name, holds: 'no', reason: `No ${name}.`, since });
  const paused = { paused: true, note: 'audit' };

  /**
   * Returns a fake client. A query of a workflow returns the entry in `answers` for the workflow's id, or fails if
   * there is none. `state` is the state of the schedule.
   */
  const answering = (answers: Record<string, unknown>, state: object): Client =>
    ({
      withDeadline: (_: number, call: () => unknown) => call(),
      schedule: {
        getHandle: () => ({
          describe: async () => ({
            state,
            spec: { intervals: [{ every: 3_600_000 }] },
            info: { nextActionTimes: [] },
          }),
        }),
      },
      workflow: {
        list: async function* () {},
        getHandle: (id: string) => ({
          query: async () => answers[id] ?? Promise.reject(new Error('no such workflow')),
        }),
      },
    }) as unknown as Client;
  const client = (pushes: object = {}) =>
    answering(
      {
        roster: {
          id: 'roster-1',
          bucket: folder.bucket.label,
          loaded: true,
          exclusions: {},
          primaries: [],
          conditions: { 'cluster-4': [broken('federator', 'store')] },
        },
        'push/cluster-1': {
          cluster: 'cluster-1',
          conditions: [
            broken('federatedCluster', 'disk'),
            broken('federatedCluster', 'freshness'),
            { role: 'federatedCluster', name: 'store', holds: 'yes', since },
          ],
          ...pushes,
        },
      },
      paused,
    );

  test('is part of the status: the schedule, what there is to do, and what does not hold', async () => {
    await folder.run('federation-1', { trigger: 'schedule' }, {});
    folder.lastPushed('cluster-1', day, 80);
    const { schedule, conditions, toDo } = await federation(folder.bucket, client()).status();
    expect(schedule).toEqual({ everyMs: 3_600_000, paused: { note: 'audit' } });
    // The condition `freshness` of cluster-1 is missing here, because `toDo` already says that the cluster is late.
    expect(conditions).toEqual([
      { cluster: 'cluster-1', role: 'federatedCluster', name: 'disk', reason: 'No disk.', since },
      { cluster: 'cluster-4', role: 'federator', name: 'store', reason: 'No store.', since },
    ]);
    expect(toDo).toEqual([
      expect.stringMatching(/^No primary is known/),
      expect.stringMatching(/^The schedule is paused: audit\. To end the pause: `temporal schedule/),
      expect.stringMatching(/^1 of 1 cluster is late: cluster-1/),
    ]);
  });

  test('does not make clusters silent whose files this server may not list', async () => {
    await folder.run('federation-1', { trigger: 'schedule' }, {});
    const { conditions, toDo } = await federation(withoutFiles(), client()).status();
    expect(conditions.map(({ name }) => name)).toEqual(['disk', 'freshness', 'store']);
    expect(toDo).toEqual([
      expect.stringMatching(/^No primary is known/),
      expect.stringMatching(/^The schedule is paused/),
    ]);
  });

  test('names pushes that cannot go on until a person acts, with what to do, and only once', async () => {
    await folder.run('federation-1', { trigger: 'schedule' }, {});
    const stateIn = async (code: string, reason = 'No push.') => {
      const conditions = [
        { ...broken('federatedCluster', 'freshness'), reason },
        { ...broken('federatedCluster', 'store'), reason },
      ];
      const pushes = { error: { code, message: 'It failed.', since }, conditions };
      const { toDo, conditions: found } = await federation(folder.bucket, client(pushes)).status();
      const named = found.filter(({ cluster }) => cluster === 'cluster-1').map(({ name }) => name);
      return { toDo: toDo.filter((line) => line.startsWith('cluster-1')), named };
    };
    const { hint } = catalog.LOCAL_STATE_UNREADABLE;
    expect(await stateIn('LOCAL_STATE_UNREADABLE')).toEqual({
      toDo: [`cluster-1: its pushes have failed since ${since}: LOCAL_STATE_UNREADABLE: It failed. ${hint}`],
      named: ['store'],
    });
    // Others are retried, or a condition says the same.
    const unsaid = { toDo: [], named: ['freshness', 'store'] };
    expect(await stateIn('STORAGE_UNAVAILABLE')).toEqual(unsaid);
    expect(await stateIn('STORAGE_ACCESS_DENIED', 'STORAGE_ACCESS_DENIED: No.')).toEqual(unsaid);
  });
});
