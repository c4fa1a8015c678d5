import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet } from '../../etl/file';
import { recordClusters } from '../../etl/set-facts';
import { parseWindowId, type WindowId } from '../../etl/window';
import { clusterEtlKey, clusterEtlPrefix, combinedEtlKey } from '../../federation/layout';
import { checkUnion } from '../../scripts/demo/check-union';
import { readAll } from '../../storage/read-all';
import { runs } from '../etl/run-counts';
import { sameMeaning } from '../etl/same-meaning';
import { runMain } from '../scripts/run-main';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';
import { largestPayload } from '../workflows/largest-payload';
import {
  type FiveClusters,
  localFile,
  rebuild,
  rewriteInOtherBytes,
  startFiveClusters,
} from './five-clusters';

const golden = path.join(__dirname, '..', 'golden');
const ids = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];
const changed = 'allocations/1d/1794614400-1794700800' as WindowId;
const another = 'allocations/1h/1794816000-1794819600' as WindowId;
const primary = 'cluster-5';

/**
 * Tests the guide's example from end to end, on one kind of store. Each test continues with the state that the previous
 * test left. Each kind of store has its own test file, so that they run in parallel: about half of their time is spent
 * waiting for time-outs.
 *
 * @param name the name of the suite
 * @param storeOf creates a bucket in the example's folder, and returns the content of federated-store.yaml
 * @param options.gcsEmulator the address of the GCS emulator, if the store is of type GCS
 * @param options.briefly if true, quick runs only push, federate and pull: the later steps depend little on the kind of
 *   store
 */
export function describeFiveClusters(
  name: string,
  storeOf: (folder: string) => Promise<object>,
  { gcsEmulator, briefly = false }: { gcsEmulator?: () => Promise<string>; briefly?: boolean } = {},
): void {
  describeWithTemporal(name, () => {
    let server: TestServer;
    let five: FiveClusters;

    beforeAll(async () => {
      server = await connectToTestServer();
      const namespace = await server.createNamespace();
      five = await startFiveClusters({
        address: server.address,
        namespace,
        client: server.client(namespace),
        store: storeOf,
        gcsEmulator: await gcsEmulator?.(),
      });
    });

    afterAll(async () => {
      await five?.close();
      await server?.close();
    });

    const golds = (cluster: string, window: WindowId) =>
      readFile(path.join(golden, 'bucket', 'federated', cluster, 'etl/bingen', window));
    const remote = async (cluster: string, window: WindowId) =>
      (await readAll(five.bucket, clusterEtlKey(clusterId(cluster), window))).bytes;
    const pushed = (cluster: string, window: WindowId, bytes: Uint8Array) =>
      until(`${cluster} pushes ${window}`, async () =>
        Buffer.from(await remote(cluster, window)).equals(bytes),
      );
    const differences = async (clusters: readonly string[]) =>
      (await checkUnion(five.bucket, clusters)).differences;
    /** Waits until the local ETL of the primary contains every combined file, byte for byte. */
    const pulled = async () => {
      const { windows } = await five.generation();
      for (const window of Object.keys(windows) as WindowId[]) {
        const combined = (await readAll(five.bucket, combinedEtlKey(window))).bytes;
        await until(`${primary} pulls ${window}`, async () =>
          (await readFile(localFile(five.cluster(primary), window))).equals(combined),
        );
      }
    };

    test('the files that five clusters push are combined exactly as OpenCost combines them', async () => {
      for (const cluster of ids) {
        await until(
          `${cluster} has pushed`,
          async () => (await count(five, clusterEtlPrefix(clusterId(cluster)))) === 14,
        );
        expect(Buffer.from(await remote(cluster, changed)).equals(await golds(cluster, changed))).toBe(true);
      }
      const summary = await five.federate();
      expect(summary).toMatchObject({
        outcome: 'complete',
        generation: 1,
        clusters: 5,
        windows: 14,
        merged: 14,
        quarantined: 0,
      });
      for (const window of Object.keys((await five.generation()).windows) as WindowId[]) {
        const pipeline = parseWindowId(window)?.pipeline ?? 'assets';
        const combined = (await readAll(five.bucket, combinedEtlKey(window))).bytes;
        const expected = await readFile(path.join(golden, 'expected/federated/combined/etl/bingen', window));
        expect(sameMeaning(pipeline, combined, expected)).toEqual([]);
      }
      const history = await five.client.workflow.getHandle(summary.run).fetchHistory();
      expect(largestPayload(history).bytes).toBeLessThan(100 * 1024);
    });

    test('the primary has the combined files, and its own folder stays unchanged', async () => {
      await pulled();
      for (const window of [changed, another]) {
        expect(Buffer.from(await remote(primary, window)).equals(await golds(primary, window))).toBe(true);
      }
    });

    test('one changed window of one cluster is merged again, and no other', async () => {
      const before = await five.generation();
      await pushed(
        'cluster-1',
        changed,
        await rebuild(five.cluster('cluster-1'), changed, await golds('cluster-1', changed), 1),
      );
      expect(await five.federate()).toMatchObject({
        outcome: 'complete',
        generation: 2,
        planned: 1,
        merged: 1,
      });
      const after = await five.generation();
      const others = ({ windows }: typeof after) =>
        Object.entries(windows).filter(([window]) => window !== changed);
      expect(others(after)).toEqual(others(before));
      expect(await differences(ids)).toEqual([]);
    });

    test('a run over unchanged clusters merges nothing and commits nothing', async () => {
      expect(await five.federate()).toMatchObject({
        outcome: 'complete',
        generation: 2,
        planned: 0,
        merged: 0,
      });
    });

    if (briefly && runs(true, false)) return;

    test('a primary that is federated too never pushes pulled files, round after round', async () => {
      for (let round = 1; round <= runs(2, 20); round++) {
        await pulled();
        const own = await rebuild(five.cluster(primary), changed, await golds(primary, changed), round);
        expect(await rewriteInOtherBytes(five.cluster(primary), another)).toBe(true);
        await pushed(primary, changed, own);
        await five.federate();
        expect(await differences(ids)).toEqual([]);
        for (const window of [changed, another]) {
          const pipeline = parseWindowId(window)?.pipeline ?? 'assets';
          expect(recordClusters(decodeSet(pipeline, await remote(primary, window)))).toEqual([primary]);
        }
      }
      expect(Buffer.from(await remote(primary, another)).equals(await golds(primary, another))).toBe(true);
    });

    test('an excluded cluster is removed from every window, even if the federator is killed during that run', async () => {
      const { config } = five.cluster('cluster-4');
      const excluded = await runMain('exclude', 'cluster-3', '--reason', 'trying it out', '--config', config);
      expect(excluded).toMatchObject({
        status: 0,
        out: 'cluster-3 is excluded from the next federation on; until that federation commits, only Temporal knows this.\n',
      });
      const run = await five.federateUntilMerging();
      await five.kill('cluster-4');
      await five.start('cluster-4');
      expect(await five.result(run)).toMatchObject({
        outcome: 'complete',
        clusters: 4,
        excluded: ['cluster-3'],
      });
      expect(await differences(ids.filter((id) => id !== 'cluster-3'))).toEqual([]);
      const { membership } = await five.generation();
      expect(membership.exclusions).toMatchObject({ 'cluster-3': { reason: 'trying it out' } });
    });

    test('an included cluster is back with its history', async () => {
      await five.client.workflow.getHandle('roster').signal('includeCluster', 'cluster-3');
      expect(await five.federate()).toMatchObject({ outcome: 'complete', clusters: 5, excluded: [] });
      expect(await differences(ids)).toEqual([]);
    });

    test("a source that turns bad is quarantined, the cluster's last good data stays, and a good one heals it", async () => {
      const key = clusterEtlKey(clusterId('cluster-2'), changed);
      const good = await remote('cluster-2', changed);
      const before = await five.generation();
      await five.stop('cluster-2');
      await five.bucket.put(key, good.subarray(0, good.length - 100));
      expect(await five.federate()).toMatchObject({ outcome: 'partial', quarantined: 1 });
      const { quarantined, windows } = await five.generation();
      expect(quarantined).toMatchObject([{ cluster: 'cluster-2', window: changed, code: 'ETL_TRUNCATED' }]);
      expect(windows[changed]?.digest).toBe(before.windows[changed]?.digest);
      await five.start('cluster-2');
      await pushed('cluster-2', changed, good);
      expect(await five.federate()).toMatchObject({ outcome: 'complete', quarantined: 0 });
      expect(await differences(ids)).toEqual([]);
    });
  });
}

async function count({ bucket }: FiveClusters, prefix: string): Promise<number> {
  let objects = 0;
  for await (const entry of bucket.list(prefix)) if (entry.kind === 'object') objects += 1;
  return objects;
}
