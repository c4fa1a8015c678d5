import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { combinedEtlPrefix } from '../../federation/layout';
import { summarizeCluster, surveyBucket } from '../../operator/survey';
import type { Bucket } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import {
  federatedBucket,
  firstDay,
  golden,
  goldenSource,
  keptFile,
  secondDay,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

/** Names of properties that every JavaScript object inherits. A careless look-up of such a name finds the property. */
const names = ['constructor', 'hasOwnProperty', 'toString', 'valueOf'];
const folder = 'allocations/1d';
const windows = readdirSync(join(golden, 'bucket/federated/cluster-1/etl/bingen', folder))
  .map((file) => `${folder}/${file}`)
  .sort();

/** Creates a bucket with the allocations of three days. It has one cluster for each of `names`, and `cluster-5`. */
async function oddlyNamed(): Promise<Bucket> {
  const bucket = federatedBucket({ empty: true });
  for (const [index, name] of [...names, 'cluster-5'].entries())
    for (const window of windows)
      await bucket.put(sourceKey(name, window), goldenSource(`cluster-${index + 1}`, window));
  return bucket;
}

test('clusters with names that objects inherit are federated like any other', async () => {
  const bucket = await oddlyNamed();
  const federator = new TestFederator(bucket, threads);
  const { plan, commit } = await federator.federate();
  expect(plan).toMatchObject({ outcome: 'work', clusters: { count: 5 }, excluded: { count: 0 } });
  expect(commit).toMatchObject({ status: 'committed', clusters: 5, quarantined: 0 });
  const first = await federator.newest();
  expect(first.membership.clusters).toEqual(['cluster-5', ...names]);
  expect(Object.keys(await snapshot(bucket, combinedEtlPrefix))).toHaveLength(windows.length);
  expect((await federator.federate()).commit).toMatchObject({ status: 'unchanged' });

  federator.exclusions = { constructor: { reason: 'odd prices', at: '2026-11-20T00:00:00Z' } };
  expect((await federator.federate()).commit).toMatchObject({ status: 'committed', clusters: 4 });
  const without = await federator.newest();
  expect(Object.entries(without.membership.excluded)).toEqual([
    ['constructor', { by: 'person', reason: 'odd prices', lastGeneration: 1 }],
  ]);
  const { clusters } = await surveyBucket(bucket);
  const summaries = clusters.map((cluster) => summarizeCluster(cluster, without, {}, 0));
  expect(summaries.map(({ cluster, membership }) => [cluster, membership])).toEqual([
    ['cluster-5', 'in'],
    ['constructor', 'excluded'],
    ...names.slice(1).map((name) => [name, 'in']),
  ]);

  federator.exclusions = {};
  const back = await federator.federate();
  expect(back.outcomes.map(({ reused }) => reused)).toEqual(windows.map(() => true));
  expect((await federator.newest()).windows).toEqual(first.windows);
});

test('a bad file of such a cluster is quarantined, and its last contribution stays', async () => {
  const bucket = await oddlyNamed();
  const federator = new TestFederator(bucket, threads);
  await federator.federate();
  const before = await federator.merged(firstDay);
  await bucket.put(sourceKey('constructor', firstDay), Buffer.from('no file of OpenCost'));
  await bucket.delete(sourceKey('toString', secondDay));
  expect((await federator.federate()).commit).toMatchObject({
    quarantined: 2,
    degraded: ['constructor', 'toString'],
  });
  expect(await federator.merged(firstDay)).toEqual(before);
  expect((await readAll(bucket, keptFile('constructor', firstDay))).bytes.length).toBeGreaterThan(0);
});

test('a folder `__proto__` is no cluster, because no JSON object can safely have such a key', async () => {
  const bucket = await oddlyNamed();
  await bucket.put(sourceKey('cluster-5', firstDay).replace('cluster-5', '__proto__'), Buffer.from('x'));
  const { plan } = await new TestFederator(bucket, threads).federate();
  expect(plan).toMatchObject({ clusters: { count: 5 }, excluded: { count: 0 } });
});
