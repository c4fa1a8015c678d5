import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../../errors/federation-error';
import type { Releasers } from '../../workers/releasers';
import type { DemoCluster } from './clusters';

/**
 * Time limit for stopping a cluster, in milliseconds. A cluster that needs longer is killed: its activities have only
 * 10 seconds to finish, so it must be hanging.
 */
const gracefulMs = 30_000;

/** The process of one cluster in the example. */
export interface ClusterProcess {
  readonly cluster: DemoCluster;
  readonly pid: number;
  /** Resolves when the process has ended for any reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const checkout = join(__dirname, '..', 'federated-etl.cjs');

/**
 * Starts `federated-etl run` for a cluster. Resolves when the cluster reports that it is ready. `program` is the script
 * to run. (Default: the script in this checkout)
 */
export async function startCluster(cluster: DemoCluster, program = checkout): Promise<ClusterProcess> {
  const log = openSync(cluster.log, 'a');
  const child = fork(program, ['run', '--config', cluster.config], {
    stdio: ['ignore', log, log, 'ipc'],
    // Start each cluster in its own process group, so that Ctrl-C at the terminal reaches only the demo. The demo then
    // stops the clusters in order.
    detached: true,
  });
  closeSync(log);
  const ended = once(child, 'exit').then(() => undefined);
  await Promise.race([
    once(child, 'message'),
    ended.then(async () => {
      throw await notStarted(cluster, child);
    }),
  ]);
  return {
    cluster,
    pid: child.pid ?? 0,
    ended,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), gracefulMs);
      await ended;
      clearTimeout(insist);
    },
  };
}

/**
 * Starts all clusters. Calls `onStart` for each cluster when it is ready. `releasers` stops the clusters at the end. Once
 * `stop` is aborted, no further cluster starts.
 */
export async function startClusters(
  clusters: readonly DemoCluster[],
  {
    releasers,
    stop,
    onStart,
  }: { releasers: Releasers; stop: AbortSignal; onStart: (started: ClusterProcess) => void },
): Promise<ClusterProcess[]> {
  // Start the first cluster alone. It bundles the workflow code, and the other clusters reuse the bundle. If all
  // clusters started at the same time, each would bundle the code.
  const [first, ...others] = clusters;
  if (first === undefined) return [];
  const running: ClusterProcess[] = [];
  // Stop all at the same time.
  releasers.defer(() => Promise.all(running.map((cluster) => cluster.stop())));
  const start = async (cluster: DemoCluster) => {
    const started = await startCluster(cluster);
    running.push(started);
    onStart(started);
    return started;
  };
  const started = await start(first);
  return stop.aborted ? [started] : [started, ...(await Promise.all(others.map(start)))];
}

/** Waits until one of the processes ends, then throws an error that names its cluster. */
export async function rejectWhenOneEnds(started: readonly ClusterProcess[]): Promise<never> {
  const { id, log } = await Promise.race(started.map(({ cluster, ended }) => ended.then(() => cluster)));
  throw new FederationError('INTERNAL', {
    subject: { cluster: id },
    detail: `The process of ${id} ended.`,
    hint: `Its log is ${log}.`,
  });
}

async function notStarted(cluster: DemoCluster, child: ChildProcess): Promise<FederationError> {
  const lines = (await readFile(cluster.log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5);
  return new FederationError('INTERNAL', {
    subject: { cluster: cluster.id },
    detail: `${cluster.id} ended with ${child.signalCode ?? `exit code ${child.exitCode}`} before it served.`,
    hint: `The complete log is ${cluster.log}. Its last lines:\n  ${lines.join('\n  ')}`,
  });
}
