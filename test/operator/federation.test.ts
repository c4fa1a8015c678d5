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

/** Makes the data source of the web page. Its Temporal server cannot be reached. */
const federation = (bucket: Bucket = folder.bucket) =>
  federationOf(
    {
      settings: { temporal: { namespace: 'default', idPrefix: '' } as never },
      names: names(''),
      bucket: async () => bucket,
      temporal: () =>
        Promise.reject(new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'Temporal is away.' })),
    },
    {},
  );

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

test('a cluster that has gone silent is named as such, unless the pushes cannot be seen', async () => {
  const silence = { state: 'late', usualMs: 86_400_000 };
  expect(await federation().status()).toMatchObject({ clusters: [{ silence: { state: 'on-time' } }] });
  folder.lastPushed('cluster-1', day, 80);
  expect(await federation().status()).toMatchObject({ clusters: [{ cluster: 'cluster-1', silence }] });
  const denied = overriding(folder.bucket, {
    list: (prefix, options) => {
      if (prefix === federatedPrefix) throw new FederationError('STORAGE_ACCESS_DENIED', { detail: '' });
      return folder.bucket.list(prefix, options);
    },
  });
  const { clusters } = await federation(denied).status();
  expect(clusters).toEqual([{ cluster: 'cluster-1', membership: 'in' }]);
});
