import { createFederationActivities, createMergeActivities } from '../../activities/federation-activities';
import { readHead } from '../../activities/plan-objects';
import { startMergeThreads } from '../../activities/threads/merge-threads';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { openBucketFromFile } from '../../storage/open-bucket';
import { TestFederator } from '../../test/activities/federated-bucket';
import { mergeSlots } from '../../workers/capacity';

/**
 * Plans a federation of the store that `storeFile` describes. Then merges the planned windows without workflows, by
 * calling the activities directly. Prints the time from the end of planning to the end of the last merge, in seconds.
 */
async function withoutTemporal(storeFile: string): Promise<void> {
  const bucket = await openBucketFromFile(storeFile);
  const threads = startMergeThreads();
  const { deps } = new TestFederator(bucket, threads, { id: 'federator' });
  const { planFederation } = createFederationActivities(deps);
  const { mergeWindow } = createMergeActivities(deps);
  const plan = { run: 'without-temporal', attempt: 1 };
  await planFederation({ ...plan, request: { trigger: 'person', at: new Date().toISOString() } });
  const start = performance.now();
  const { shards } = await readHead(bucket, plan.run, plan.attempt);
  const windows = shards.flatMap((names, shard) => names.map((_, index) => ({ ...plan, shard, index })));
  // Merge as many windows at the same time as a federator would.
  await mapConcurrently(windows, mergeSlots(), mergeWindow);
  const seconds = (performance.now() - start) / 1_000;
  console.log(JSON.stringify({ seconds }));
  await threads.close();
  await bucket.close();
}

void withoutTemporal(process.argv[2] ?? '');
