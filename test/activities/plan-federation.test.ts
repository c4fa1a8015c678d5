import { createDescribeShard } from '../../activities/describe-shard';
import { drawPlan } from '../../activities/draw-plan';
import type { MergeOutcome } from '../../activities/merge-window';
import { createPlanFederation } from '../../activities/plan-federation';
import { type MergeThreads, startMergeThreads } from '../../activities/threads/merge-threads';
import type { Log } from '../../config/log';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { clusterEtlPrefix, federatedPrefix } from '../../federation/layout';
import type { Bucket, ListEntry, ObjectInfo } from '../../storage/bucket';
import { readOnly } from '../../storage/read-only';
import { dayWindow } from '../federation/made-up';
import { removeTemporaryFolders } from '../storage/temporary-folder';
import { federatedBucket, goldenWindows, overriding, smallBucket, TestFederator } from './federated-bucket';

let threads: MergeThreads;
beforeAll(() => (threads = startMergeThreads({ threads: 1 })));
afterAll(async () => {
  await threads.close();
  await removeTemporaryFolders();
});

const payloadLimit = 20 * 1024;
const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Returns a bucket that lists the files of many clusters, and keeps written objects in memory. */
function largeFleet(clusters: number, windows: number): Bucket {
  const objects = new Map<string, Buffer>();
  const info = (key: string, length: number) =>
    ({ key, size: length, modified: new Date(0), version: 'v1' }) as ObjectInfo;
  const names = Array.from(
    { length: clusters },
    (_, number) => `cluster-of-a-long-name-${String(number).padStart(4, '0')}`,
  );
  const prefixes = new Set(names.map((name) => clusterEtlPrefix(clusterId(name))));
  return overriding(smallBucket(), {
    async *list(prefix): AsyncGenerator<ListEntry> {
      if (prefix === federatedPrefix)
        for (const name of names) yield { kind: 'prefix', prefix: `${federatedPrefix}${name}/` };
      const cluster = prefixes.has(prefix) ? prefix : undefined;
      for (let day = 0; cluster !== undefined && day < windows; day++) {
        yield { kind: 'object', ...info(prefix + dayWindow(day), 100) };
      }
    },
    put: async (key, body) => {
      if (!(body instanceof Uint8Array)) throw new TypeError('bytes are expected');
      objects.set(key, Buffer.from(body));
      return info(key, body.byteLength);
    },
    get: async (key) => {
      const bytes = objects.get(key) ?? Buffer.alloc(0);
      return {
        head: { ...info(key, bytes.length), metadata: {} },
        body: (async function* () {
          yield bytes;
        })(),
      };
    },
  });
}

test('a thousand clusters of 280 windows need only small payloads', async () => {
  const bucket = largeFleet(1_000, 280);
  const { deps } = new TestFederator(bucket, threads);
  const request = { trigger: 'schedule' as const, at: '2026-11-20T00:00:00Z' };
  const plan = await createPlanFederation(deps)({ run: 'r', attempt: 1, request });
  expect(plan).toMatchObject({ planned: 280, clusters: { count: 1_000 } });
  expect(size(plan)).toBeLessThan(payloadLimit);
  // A shard has at most 20,000 sources. With a thousand clusters, this is 20 windows, so 280 windows need 14 shards.
  expect(plan.shards).toBe(14);
  const { windows } = await createDescribeShard(deps)({ run: 'r', attempt: 1, shard: 0 });
  expect(windows).toHaveLength(20);
  expect(windows[0]?.label).toMatch(/^allocations 1d \d{4}-\d\d-\d\d · 1000 clusters$/);
  expect(size(windows)).toBeLessThan(payloadLimit);
});

test('the outcomes of the largest shard are a small payload', async () => {
  const outcome: MergeOutcome = {
    index: 49,
    window: 'allocations/10m0s/1794816000-1794816600' as WindowId,
    fingerprint: 'f'.repeat(64),
    digest: 'd'.repeat(64),
    size: 9_999_999_999,
    clusters: 1_000,
    changed: 1_000,
    quarantined: 1_000,
    listed: true,
    reused: false,
    removed: false,
  };
  expect(
    size({ run: 'r', attempt: 1, shard: 0, outcomes: Array.from({ length: 50 }, () => outcome) }),
  ).toBeLessThan(payloadLimit);
});

test('a dry run needs only read access', async () => {
  const bucket = smallBucket();
  const input = { federator: 'f', scope: { exclude: [] }, roster: 'r', exclusions: {} };
  const request = { trigger: 'person', at: '2026-11-20T00:00:00Z' } as const;
  const plan = await drawPlan(readOnly(bucket), { ...input, request, now: new Date() });
  expect(plan.windows).toHaveLength(3);
  expect(plan.windows[0]?.sources).toHaveLength(5);
});

test('the log reports what was found, what is merged and what is not, in the familiar style', async () => {
  const lines: string[] = [];
  const say = (_: object, line: string) => void lines.push(line);
  const log = { debug: say, info: say, warn: say, error: say, child: () => log } as unknown as Log;
  const federator = new TestFederator(federatedBucket(), threads, { scope: { exclude: ['cluster-5'] } });
  Object.assign(federator.deps, { log });
  await federator.federate();
  expect(lines).toContain('Federator excludes cluster-5: the settings exclude it');
  for (const pipeline of ['allocations', 'assets']) {
    expect(lines).toContain(
      `Federator[${pipeline}][1d] found 4 clusters: cluster-1, cluster-2, cluster-3, cluster-4; 3 windows to merge, 0 unchanged`,
    );
    expect(lines).toContain(`Federator[${pipeline}][1d] merged 2026-11-14 from 4 clusters (4 changed)`);
    expect(lines).toContain(
      `Federator[${pipeline}][1h] merged 2026-11-16T08:00Z from 4 clusters (4 changed)`,
    );
  }
  expect(lines).toContain(
    `Federator committed generation 1: ${goldenWindows} windows of 4 clusters, ${goldenWindows} changed, 0 removed, 0 quarantined, 0 shrunk`,
  );
  expect(lines).toContain(
    `Federator published generation 1: ${goldenWindows} files written, 0 deleted, 0 unchanged`,
  );
});
