import { createPullCombined } from '../../activities/pull-combined';
import { createPushLocalEtl } from '../../activities/push-local-etl';
import { silentLog } from '../../config/log';
import { programVersion } from '../../config/program-version';
import { clusterId } from '../../etl/cluster-id';
import { objectsPrefix } from '../../federation/layout';
import { instanceOf } from '../../local-etl/instance';
import { localEtl } from '../../local-etl/store';
import type { Bucket, ObjectBody } from '../../storage/bucket';
import { createMemoryBudget } from '../../storage/memory-budget';
import { openBucketFromFile } from '../../storage/open-bucket';

/**
 * Runs a push or a pull. Only its first `files` transfers complete. All later transfers hang until the test kills this
 * process.
 */
async function main([storeFile = '', volume = '', verb, files]: string[]): Promise<void> {
  setInterval(() => undefined, 1_000);
  const store = localEtl(volume);
  const { signal } = new AbortController();
  const deps = {
    cluster: clusterId('cluster-5'),
    store,
    log: silentLog,
    budget: createMemoryBudget(64 * 2 ** 20),
    shrinkage: 0.5,
    program: programVersion(),
    now: () => new Date(),
    heartbeat: () => undefined,
    signal: () => signal,
  };
  const bucket = hangingAfter(Number(files), await openBucketFromFile(storeFile));
  if (verb === 'push') await createPushLocalEtl({ ...deps, bucket })({ instance: await instanceOf(store) });
  else await createPullCombined({ ...deps, combined: bucket, federated: false })();
}

/**
 * Returns a bucket in which only the first `files` transfers complete. Later uploads get no response, and later
 * downloads stop half-way.
 */
function hangingAfter(files: number, bucket: Bucket): Bucket {
  let [put, got] = [0, 0];
  return {
    ...bucket,
    put: (...call) => (++put > files ? never<never>() : bucket.put(...call)),
    get: async (key, options) => {
      const answer = await bucket.get(key, options);
      return key.startsWith(objectsPrefix) && ++got > files ? halfOf(answer) : answer;
    },
  };
}

function halfOf({ head, body }: ObjectBody): ObjectBody {
  async function* half() {
    let left = Math.floor(head.size / 2);
    for await (const chunk of body) {
      yield chunk.subarray(0, left);
      left -= Math.min(left, chunk.length);
      if (left === 0) await never();
    }
  }
  return { head, body: half() };
}

/** Keeps references to hanging transfers. Otherwise, they could be garbage-collected together with their open files. */
const hanging: (() => void)[] = [];

function never<T>(): Promise<T> {
  return new Promise((_, reject) => hanging.push(reject));
}

void main(process.argv.slice(2));
