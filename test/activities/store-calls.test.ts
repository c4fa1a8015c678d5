import { createFederationActivities, createMergeActivities } from '../../activities/federation-activities';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { addCalls, noCalls, type StoreCalls } from '../../federation/store-calls';
import { countCall } from '../../storage/count-calls';
import { type StorageCall, withMetrics } from '../../storage/with-metrics';
import { federatedBucket, goldenWindows, TestFederator, testMergeThreads } from './federated-bucket';

const threads = testMergeThreads();

test('activity results count each store call once', async () => {
  let all = noCalls();
  const observe = (call: StorageCall) => {
    countCall(call);
    const { verb, pages = 1, bytes = 0 } = call;
    const [bytesRead, bytesWritten] = [
      verb === 'get' ? bytes : 0,
      verb === 'put' || verb === 'create' ? bytes : 0,
    ];
    all = addCalls(all, { ...noCalls(), [verb]: pages, bytesRead, bytesWritten });
  };
  const { deps } = new TestFederator(withMetrics(federatedBucket(), observe), threads);
  const activities = createFederationActivities(deps);
  const { mergeWindow } = createMergeActivities(deps);
  const run = 'r';
  const request = { trigger: 'person', at: '2026-11-20T00:00:00Z' } as const;
  let counted: StoreCalls = noCalls();
  const noted = <Result extends { calls: StoreCalls }>(result: Result): Result => {
    counted = addCalls(counted, result.calls);
    return result;
  };

  noted(await activities.recordRequest({ run, request }));
  // The activity reads which federation the bucket belongs to, and writes the request of the run.
  expect(counted).toEqual({
    ...noCalls(),
    ...{ get: 1, create: 1, bytesWritten: expect.any(Number) },
  });
  const { shards } = noted(await activities.planFederation({ run, attempt: 1, request }));
  expect(shards).toBe(1);
  const ref = { run, attempt: 1, shard: 0 };
  const { windows } = noted(await activities.describeShard(ref));
  const before = counted;
  const outcomes = await mapConcurrently(windows, Infinity, async ({ index }) =>
    noted(await mergeWindow({ ...ref, index })),
  );
  // Merging a window reads the files of five clusters. It writes three objects: the merged window, its provenance, and
  // a document that lists the cluster names in the records, because no cluster owns them before the first commit.
  expect(counted.get - before.get).toBeGreaterThanOrEqual(5 * goldenWindows);
  expect(counted.put - before.put).toBe(3 * goldenWindows);
  expect(counted.bytesRead).toBeGreaterThan(before.bytesRead);
  expect(counted.bytesWritten).toBeGreaterThan(before.bytesWritten);
  noted(await activities.recordShard({ ...ref, outcomes }));
  expect(noted(await activities.commitGeneration({ run, attempt: 1 }))).toMatchObject({
    status: 'committed',
  });
  noted(await activities.publishGeneration());
  noted(await activities.cleanUp());
  expect(counted).toEqual(all);
  // The roster calls this activity, and expects only data from the bucket. So the result must not contain numbers of
  // store calls.
  expect(await activities.readExclusions()).toEqual({
    exclusions: {},
    follows: { generation: 1, roster: 'roster-1' },
    known: { federation: expect.any(String), generation: 1, run },
  });
});
