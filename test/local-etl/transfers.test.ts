import { type WindowId, windowId } from '../../etl/window';
import { clusterEtlPrefix, objectsPrefix } from '../../federation/layout';
import { transfersAtOnce } from '../../local-etl/transfers';
import type { Bucket } from '../../storage/bucket';
import { createMemoryBudget, type MemoryBudget } from '../../storage/memory-budget';
import { assets1, built, ClusterOnDisk } from './cluster-on-disk';

const windows = Array.from({ length: transfersAtOnce + 8 }, (_, hour): WindowId => {
  const start = 1_794_614_400 + hour * 3_600;
  return windowId({
    pipeline: 'assets',
    resolution: '1h',
    window: { start, end: start + 3_600 },
  });
});

let disk: ClusterOnDisk;
let bytes: Buffer;
beforeEach(async () => {
  disk = await ClusterOnDisk.make();
  bytes = await built(assets1);
});
afterEach(() => disk[Symbol.asyncDispose]());

const build = () => Promise.all(windows.map((window) => disk.build(window, bytes)));
const commit = () =>
  disk.commit(1, Object.fromEntries(windows.map((id) => [id, { bytes, from: ['cluster-1'] }])));

/**
 * Wraps a bucket. When the cluster uploads a file or downloads a combined window, the call waits for `during`, which
 * receives the size of the file.
 */
function watched(bucket: Bucket, during: (bytes: number) => Promise<void>): Bucket {
  return new Proxy(bucket, {
    get(target, name: keyof Bucket) {
      if (name === 'put')
        return async (...[key, body, options]: Parameters<Bucket['put']>) => {
          if (key.startsWith(clusterEtlPrefix(disk.cluster))) await during(bytes.length);
          return target.put(key, body, options);
        };
      if (name === 'get')
        return async (...[key, options]: Parameters<Bucket['get']>) => {
          const answer = await target.get(key, options);
          if (key.startsWith(objectsPrefix)) await during(bytes.length);
          return answer;
        };
      const value = target[name];
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** Returns a function whose callers wait until it has been called `count` times. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let there = 0;
  return () => {
    if (++there === count) resolve();
    return promise;
  };
}

const transfers: [string, (bucket: Bucket, budget: MemoryBudget) => Promise<unknown>][] = [
  [
    'a push',
    async (bucket, budget) => {
      await build();
      expect(await disk.push({ bucket, budget })).toMatchObject({ uploaded: windows.length });
    },
  ],
  [
    'a pull',
    async (combined, budget) => {
      await commit();
      const pulling = disk.pull({ combined, own: undefined, federated: false, budget });
      expect(await pulling).toMatchObject({ replaced: windows.length });
    },
  ],
];

describe.each(transfers)('%s', (_, transfer) => {
  it('moves many small files at once', async () => {
    await transfer(watched(disk.bucket, barrier(transfersAtOnce)), disk.budget);
  });

  it('moves a file larger than the budget alone', async () => {
    let underWay = 0;
    const most: number[] = [];
    const alone = watched(disk.bucket, async () => {
      most.push(++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    });
    await transfer(alone, createMemoryBudget(bytes.length - 1));
    expect(Math.max(...most)).toBe(1);
  });
});

it('a push and a pull of one process together stay within the budget', async () => {
  await commit();
  await using pushing = await ClusterOnDisk.make();
  for (const window of windows) await pushing.build(window, bytes);
  const room = 5 * bytes.length;
  const budget = createMemoryBudget(room);
  let [claimed, moved] = [0, 0];
  const claiming: MemoryBudget = {
    within: (claim, signal, work) =>
      budget.within(claim, signal, async () => {
        claimed += claim;
        return work().finally(() => (claimed -= claim));
      }),
  };
  const seen: { claimed: number; moved: number }[] = [];
  const during = async (size: number) => {
    moved += size;
    seen.push({ claimed, moved });
    await new Promise((resolve) => setImmediate(resolve));
    moved -= size;
  };
  const [pulled, pushed] = await Promise.all([
    disk.pull({ combined: watched(disk.bucket, during), own: undefined, federated: false, budget: claiming }),
    pushing.push({ bucket: watched(pushing.bucket, during), budget: claiming }),
  ]);
  expect([pulled.replaced, pushed.uploaded]).toEqual([windows.length, windows.length]);
  expect(seen).toHaveLength(2 * windows.length);
  for (const at of seen) {
    expect(at.moved).toBeLessThanOrEqual(at.claimed);
    expect(at.claimed).toBeLessThanOrEqual(room);
  }
});
