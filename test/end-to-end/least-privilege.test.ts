import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { backupsPrefix, clusterEtlPrefix, combinedEtlKey } from '../../federation/layout';
import { checkUnion } from '../../scripts/demo/check-union';
import { type ClusterProcess, startCluster } from '../../scripts/demo/cluster-process';
import type { DemoCluster } from '../../scripts/demo/clusters';
import { readAll } from '../../storage/read-all';
import { runMain } from '../scripts/run-main';
import { builtProgram } from '../servers/program';
import { type S3Users, startS3Users } from '../servers/s3-users';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { describeWithS3, type S3Server, s3Store, startS3Server } from '../servers/versitygw';
import { until } from '../until';
import { type FiveClusters, localFile, startFiveClusters } from './five-clusters';

const policies = path.join(__dirname, '../../docs/reference/policies/s3');
const ids = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];

/**
 * Runs the five clusters of the demo, and a sixth one that is only a primary. Each cluster has only the permissions
 * that its roles need.
 */
describeWithTemporal('least privilege', () => {
  describeWithS3('on an S3 server', () => {
    const bucket = 'costs';
    let users: S3Users;
    let s3: S3Server;
    let server: TestServer;
    let five: FiveClusters;
    let dir: string;
    let onlyPrimary: DemoCluster;
    let running: ClusterProcess | undefined;

    const storeWith = (key: { accessKey: string; secretKey: string }) => s3Store({ ...s3, ...key }, bucket);
    const storeOf = async (cluster: string, roles: readonly string[]) => {
      const documents = await Promise.all(
        roles.map((role) => readFile(path.join(policies, `${role}.json`), 'utf8')),
      );
      const filledIn = documents.map((document) =>
        document.replaceAll('BUCKET', bucket).replaceAll('CLUSTER_ID', cluster),
      );
      return storeWith(await users.create(cluster, filledIn));
    };

    beforeAll(async () => {
      users = await startS3Users();
      dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-least-'));
      s3 = await startS3Server({ rootDir: path.join(dir, 'bucket'), users });
      await s3.createBucket(bucket);
      server = await connectToTestServer();
      const namespace = await server.createNamespace();
      const temporal = { address: server.address, namespace };
      five = await startFiveClusters({
        ...temporal,
        client: server.client(namespace),
        store: () => Promise.resolve(storeWith(s3)),
        storeOf: ({ id, roles }) =>
          storeOf(id, [
            'federated-cluster',
            ...(roles.federator ? ['federator'] : []),
            ...(roles.primary ? ['primary'] : []),
          ]),
      });
      onlyPrimary = await writePrimary(dir, 'cluster-6', temporal, await storeOf('cluster-6', ['primary']));
      running = await startCluster(onlyPrimary, await builtProgram());
    });

    afterAll(async () => {
      await running?.stop();
      await five?.close();
      await server?.close();
      await s3?.stop();
      await users?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const pulledBy = async (cluster: DemoCluster) => {
      const { windows } = await five.generation();
      for (const window of Object.keys(windows) as WindowId[]) {
        const combined = (await readAll(five.bucket, combinedEtlKey(window))).bytes;
        await until(`${cluster.id} pulls ${window}`, async () =>
          (await readFile(localFile(cluster, window))).equals(combined),
        );
      }
    };

    test('files of five clusters are combined, and pulled by both primaries', async () => {
      for (const id of ids) {
        await until(`${id} has pushed`, async () => (await count(clusterEtlPrefix(clusterId(id)))) === 14);
      }
      expect(await five.federate()).toMatchObject({ outcome: 'complete', clusters: 5, windows: 14 });
      expect((await checkUnion(five.bucket, ids)).differences).toEqual([]);
      await pulledBy(five.cluster('cluster-5'));
      await pulledBy(onlyPrimary);
      // The backup contains 15 objects: the primary's own 14 windows and the manifest.
      expect(await count(backupsPrefix(clusterId('cluster-5')))).toBe(15);
    });

    test('a primary leaves, whatever its other roles', async () => {
      for (const { config } of [five.cluster('cluster-5'), onlyPrimary]) {
        const left = await runMain('primary', 'leave', '--config', config);
        expect(left).toMatchObject({ status: 0, err: '' });
      }
    });

    test('verbs on the combined set need only a primary’s permissions, verbs on the clusters a federator’s', async () => {
      for (const verb of ['verify', 'generations', 'quarantine', 'runs']) {
        expect(await runMain(verb, '--config', onlyPrimary.config)).toMatchObject({ status: 0 });
      }
      const { config } = five.cluster('cluster-4');
      expect(await runMain('status', '--config', config)).toMatchObject({ status: 0 });
      const refused = await runMain('status', '--config', onlyPrimary.config);
      expect(refused.status).not.toBe(0);
      expect(refused.err).toContain(`STORAGE_ACCESS_DENIED: Could not list in s3://${bucket}: AccessDenied`);
      expect(refused.err).toContain('(key federated/)');
    });

    test('the doctor finds that each has the permissions it needs', async () => {
      for (const { config } of [...five.clusters, onlyPrimary]) {
        const { out } = await runMain('doctor', '--json', '--config', config);
        const { checks } = JSON.parse(out) as {
          checks: { check: string; subject: string; outcome: string }[];
        };
        const ofBucket = checks.filter(({ check }) => check === 'bucket');
        expect(ofBucket.some(({ outcome }) => outcome === 'ok')).toBe(true);
        expect(ofBucket.filter(({ outcome }) => outcome === 'failed' || outcome === 'warning')).toEqual([]);
      }
    });

    test('no request was refused', async () => {
      for (const { log } of [...five.clusters, onlyPrimary]) {
        expect(await readFile(log, 'utf8')).not.toMatch(/STORAGE_|AccessDenied/);
      }
    });

    async function count(prefix: string): Promise<number> {
      let objects = 0;
      for await (const entry of five.bucket.list(prefix)) if (entry.kind === 'object') objects += 1;
      return objects;
    }
  });
});

/** Writes the settings of a cluster that only has the role of primary. Its local ETL is empty. */
async function writePrimary(
  dir: string,
  id: string,
  temporal: { readonly address: string; readonly namespace: string },
  store: object,
): Promise<DemoCluster> {
  const configFile = path.join(dir, 'federated-store.yaml');
  const config = path.join(dir, `${id}.yaml`);
  const etl = path.join(dir, id, 'etl');
  await writeFile(configFile, stringify(store));
  const settings = {
    clusterId: id,
    federatedETL: { primaryCluster: true },
    storage: { configFile },
    localEtl: { path: etl, pullEvery: '2s' },
    temporal,
    api: { listen: '127.0.0.1:0' },
    health: { listen: '127.0.0.1:0' },
  };
  await writeFile(config, stringify(settings));
  return { id, roles: { primary: true }, config, etl, log: path.join(dir, `${id}.log`) };
}
