import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { exampleWindow, goldenDay } from '../../scripts/demo/example-days';
import { freePort } from '../../scripts/set-up/free-port';
import { names } from '../../workflows/names';
import { long, runs } from '../etl/run-counts';
import { describeWithHelm } from '../servers/helm';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { connectToS3, describeWithS3, s3Store } from '../servers/versitygw';
import { until } from '../until';
import { renderChart } from './helm';
import { type LaidOut, layOut } from './on-this-machine';
import { type Fields, fields, list, podsOf } from './pods';

const chart = path.join(__dirname, '../../chart');
const exampleData = path.join(__dirname, '../golden/bucket/federated');
const clusters = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];
const token = 'an-operator-token';
/** Replicas of the federator. In quick runs, test/end-to-end/two-federators.test.ts has to do for the second one. */
const replicas = runs(1, 2);

/** A pod of a release, running as a process on this machine with the settings from its rendered manifest. */
interface Process {
  readonly name: string;
  readonly child: ChildProcess;
  /** File with the output of the process. */
  readonly log: string;
  readonly health: string;
  readonly api: string;
  /** Path that the container's readiness probe requests. */
  readonly readyPath: string;
}

/** Renders the example values of five clusters with Helm, and starts the pods as processes on this machine. */
describeWithHelm('the five examples of the chart', () => {
  describeWithTemporal('on a Temporal server', () => {
    describeWithS3('and an S3 server', () => {
      let folder: string;
      let server: TestServer;
      let namespace: string;
      let program: string;
      let store: string;
      const processes: Process[] = [];
      /** The pods that `helm test` would run, by name. The test runs each of them once. */
      const doctors = new Map<string, LaidOut>();

      beforeAll(async () => {
        folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-chart-five-'));
        program = await builtProgram();
        server = await connectToTestServer();
        namespace = await server.createNamespace();
        const s3 = await connectToS3();
        const bucket = `chart-${randomUUID()}`;
        await s3.createBucket(bucket);
        store = stringify(s3Store(s3, bucket));
        for (const cluster of clusters) await startRelease(cluster);
      });

      afterAll(async () => {
        await Promise.all(processes.map((one) => end(one)));
        await server.close();
        await rm(folder, { recursive: true, force: true });
      });

      /**
       * Renders the chart with a cluster's example values, and starts each pod. Changes only the addresses of servers
       * in these values, so that they point to servers on this machine.
       */
      async function startRelease(cluster: string, isUpgrade = false): Promise<void> {
        const { objects } = await renderChart(chart, {
          isUpgrade,
          valuesFiles: [path.join(chart, 'examples/five-clusters', `${cluster}.yaml`)],
          set: {
            'temporal.address': server.address,
            'temporal.namespace': namespace,
            'localEtl.rescanEvery': '2s',
            'localEtl.pullEvery': '2s',
            'federatedETL.federator.firstRunAfter': '5s',
            'federatedETL.federator.runEvery': '5s',
            'federatedETL.federator.replicas': replicas,
          },
        });
        const claim = path.join(folder, cluster, 'claim');
        if (!isUpgrade)
          await cp(path.join(exampleData, cluster, 'etl'), path.join(claim, 'db/etl'), { recursive: true });
        const surroundings = {
          secrets: {
            'federated-store': { 'federated-store.yaml': store },
            'federated-etl-token': { token },
          },
          claims: { 'kubecost-cost-analyzer': claim },
        };
        for (const { owner, spec } of objects.filter(({ kind }) => kind === 'Pod').flatMap(podsOf)) {
          const { name } = owner.metadata;
          doctors.set(
            `${cluster} ${name}`,
            await layOut(spec, objects, surroundings, path.join(folder, cluster, name)),
          );
        }
        const pods = objects
          .filter(({ kind }) => kind === 'Deployment')
          .flatMap((deployment) =>
            podsOf(deployment).flatMap(({ spec }) =>
              Array.from({ length: Number(fields(deployment['spec'])['replicas'] ?? 1) }, (_, replica) => ({
                name: `${deployment.metadata.name}-${replica}`,
                spec,
              })),
            ),
          );
        for (const { name, spec } of pods) {
          const place = path.join(folder, cluster, name);
          const { args, env, settings } = await layOut(spec, objects, surroundings, place);
          const { health, api } = await onFreePorts(settings);
          const log = path.join(folder, `${cluster}-${name}.log`);
          const output = openSync(log, 'a');
          const child = fork(program, args, {
            env: { PATH: process.env['PATH'], ...env },
            stdio: ['ignore', output, output, 'ipc'],
            detached: true,
          });
          closeSync(output);
          processes.push({
            name: `${cluster} ${name}`,
            child,
            log,
            health,
            api,
            readyPath: readinessOf(spec),
          });
        }
      }

      async function allReady(): Promise<void> {
        for (const { name, child, log, health, readyPath } of processes) {
          await until(
            `${name} to be ready`,
            async () => (await fetch(`${health}${readyPath}`)).status === 200,
            { process: child, output: () => readFileSync(log, 'utf8') },
          );
        }
      }

      it('become ready by their readiness probes', async () => {
        // One pod for each of the five clusters, and the federator.
        expect(processes).toHaveLength(5 + replicas);
        await allReady();
      });

      it('give one view of five clusters', async () => {
        const primary = processes.find(({ name }) => name.startsWith('cluster-5'));
        const question = `${primary?.api}/model/allocation?window=${exampleWindow(goldenDay)}&aggregate=cluster&accumulate=true&idle=false`;
        const costs = await until('the API to know five clusters', async () => {
          const answer = await fetch(question);
          if (!answer.ok) return undefined;
          const { data } = (await answer.json()) as { data: Record<string, { totalCost: number }>[] };
          const [set = {}] = data;
          return Object.keys(set).length === clusters.length ? set : undefined;
        });
        const rounded = Object.entries(costs).map(([cluster, { totalCost }]) => [
          cluster,
          Math.round(totalCost * 100) / 100,
        ]);
        // OpenCost's own code computed these costs from the same files.
        expect(Object.fromEntries(rounded)).toEqual({
          'cluster-1': 60.43,
          'cluster-2': 1_894.21,
          'cluster-3': 461.74,
          'cluster-4': 150.14,
          'cluster-5': 79.03,
        });
        // `canAct` is true only if the API has found the operator token in the secret.
        const status = (await (await fetch(`${primary?.api}/api/status`)).json()) as { data: object };
        expect(status.data).toMatchObject({ canAct: true });
      });

      it('report their work to Prometheus', async () => {
        const metricsOf = async (name: string) => {
          const them = processes.filter((other) => other.name.includes(name));
          const texts = them.map(async ({ health }) => (await fetch(`${health}/metrics`)).text());
          return (await Promise.all(texts)).join('');
        };
        expect(await metricsOf('cluster-1')).toMatch(
          /federated_etl_push_files\{state="(unchanged|uploaded)"\} [1-9]/,
        );
        expect(await metricsOf('federator')).toMatch(/^federated_etl_generation_clusters 5$/m);
        const primary = await metricsOf('cluster-5');
        expect(primary).toMatch(/^federated_etl_pulled_generation [1-9]/m);
        expect(primary).toMatch(/^federated_etl_served_generation [1-9]/m);
      });

      it('pass helm test', async () => {
        expect(doctors.size).toBe(6);
        // The first three clusters have the same roles.
        const tried = [...doctors].filter(([name]) => runs(!/^cluster-[23] /.test(name), true));
        expect(tried).toHaveLength(runs(4, 6));
        for (const [name, { args, env }] of tried) {
          const child = spawn(process.execPath, [program, ...args], {
            env: { PATH: process.env['PATH'], ...env },
          });
          const output: Buffer[] = [];
          child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
          child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
          const [status] = (await once(child, 'close')) as [number | null];
          // Compare the output as well, so that a failure of this test shows the reason.
          expect({ name, status, said: status === 0 ? '' : Buffer.concat(output).toString() }).toEqual({
            name,
            status: 0,
            said: '',
          });
        }
      });

      // Quick runs test this on a single role in test/workers/needs.test.ts.
      if (long)
        it('keep a paused schedule paused through an upgrade', async () => {
          const schedule = server.client(namespace).schedule.getHandle(names('').schedule);
          await schedule.pause('prices are being looked at');
          const before = processes.filter(({ name }) => name.startsWith('cluster-4'));
          await Promise.all(before.map((one) => end(one)));
          processes.splice(0, processes.length, ...processes.filter((one) => !before.includes(one)));
          await startRelease('cluster-4', true);
          await allReady();
          const after = await schedule.describe();
          expect(after.state).toMatchObject({ paused: true, note: 'prices are being looked at' });
        });

      it('shut down cleanly on SIGTERM', async () => {
        const codes = await Promise.all(processes.map((one) => end(one)));
        expect(codes).toEqual(processes.map(() => 0));
      });
    });
  });
});

/**
 * Replaces the ports in the settings with free ports, and returns the new addresses. In this test, all pods share one
 * IP address, so they cannot use the same ports. They listen on loopback, so that no other machine can reach them.
 */
async function onFreePorts(settings: string): Promise<{ health: string; api: string }> {
  const text = await readFile(settings, 'utf8');
  const [health, api] = [await freePort(undefined), await freePort(undefined)];
  const changed = text
    .replace('listen: :9004', `listen: 127.0.0.1:${health}`)
    .replace('listen: :9003', `listen: 127.0.0.1:${api}`);
  await writeFile(settings, changed);
  return { health: `http://127.0.0.1:${health}`, api: `http://127.0.0.1:${api}` };
}

function readinessOf(spec: Fields): string {
  const [container] = list(spec['containers']);
  return String(fields(fields(container?.['readinessProbe'])['httpGet'])['path']);
}

async function end({ child }: Process): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  return child.exitCode;
}
