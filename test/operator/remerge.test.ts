import { createHash } from 'node:crypto';
import { readNewestGeneration } from '../../activities/read-generations';
import { discoverClusters, listWindowFiles } from '../../activities/survey-clusters';
import { FederationError } from '../../errors/federation-error';
import { objectsPrefix } from '../../federation/layout';
import { verifyGeneration } from '../../operator/verify-generation';
import { discard } from '../../storage/body';
import {
  firstDay,
  goldenSource,
  overriding,
  smallBucket,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from '../activities/federated-bucket';
import { flipped, harmlessFlip } from '../activities/flipping';
import { unavailable } from '../storage/with-faults';

const threads = testMergeThreads();

/** Commits a generation, and returns what a deep verification of it needs. */
async function federated() {
  const bucket = smallBucket();
  await new TestFederator(bucket, threads).federate();
  const generation = await readNewestGeneration(bucket);
  if (generation === undefined) throw new Error('nothing was committed');
  return { bucket, generation, deep: await listWindowFiles(bucket, await discoverClusters(bucket)) };
}

test('a store that fails while a window is merged again is an error, not a finding', async () => {
  const { bucket, generation, deep } = await federated();
  const read = new Set<string>();
  const failing = overriding(bucket, {
    get: async (key, options) => {
      // Fail when a merged object is read for the second time. The verification first checks the object's bytes. Later,
      // it reads the object again to compare it with the newly merged sources.
      if (key.startsWith(objectsPrefix) && !key.endsWith('.json') && read.has(key)) throw unavailable();
      read.add(key);
      return bucket.get(key, options);
    },
  });
  await expect(verifyGeneration(failing, generation, { deep })).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  expect((await verifyGeneration(bucket, generation, { deep })).findings).toEqual([]);
});

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['still decodes', (bytes) => flipped(bytes, harmlessFlip(bytes))],
  ['does not decode', (bytes) => flipped(bytes, 0)],
])('a source that is damaged in the store, and %s, is found', async (_, damage) => {
  const { bucket, generation, deep } = await federated();
  const key = sourceKey('cluster-2', firstDay);
  const good = goldenSource('cluster-2', firstDay);
  const damaged = overriding(bucket, {
    get: async (asked, options) => {
      const { head, body } = await bucket.get(asked, options);
      if (asked !== key) return { head, body };
      await discard(body);
      const sha256 = createHash('sha256').update(good).digest('hex');
      return { head: { ...head, metadata: { sha256 } }, body: one(damage(good)) };
    },
  });
  const { findings } = await verifyGeneration(damaged, generation, { deep, only: new Set([firstDay]) });
  const todo = 'Delete it: the next push of cluster-2 uploads it again.';
  expect(findings).toMatchObject([{ about: firstDay, key, todo }]);
});

test('a source that this version cannot read is no damage: nobody is advised to delete it', async () => {
  const { bucket, generation, deep } = await federated();
  const key = sourceKey('cluster-2', firstDay);
  const newer = new FederationError('ETL_TOO_NEW', { detail: 'It has codec version 99.' });
  const failing = overriding(bucket, {
    get: (asked, options) => (asked === key ? Promise.reject(newer) : bucket.get(asked, options)),
  });
  const answer = await verifyGeneration(failing, generation, { deep, only: new Set([firstDay]) });
  expect(answer).toMatchObject({ remerged: 0, findings: [{ about: firstDay, key, todo: newer.hint }] });
  expect(newer.hint).not.toContain('Delete');
});

async function* one(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
