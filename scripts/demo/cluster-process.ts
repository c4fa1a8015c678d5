import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FederationError } from '../../errors/federation-error';
import type { Releasers } from '../../workers/releasers';
import type { DemoCluster } from './clusters';

/**
 * Time limit for stopping a cluster, in milliseconds. The activities of a worker have 10 seconds to finish, so a
 * cluster that takes longer than this limit must be hanging.
 */
const gracefulMs = 30_000;

/** The process of a cluster of the example. */
export interface ClusterProcess {
  readonly cluster: DemoCluster;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const checkout = join(__dirname, '..', 'federated-etl.cjs');

/**
 * Starts `federated-etl run` for a cluster and resolves once the cluster serves its roles. `program` is the script to
 * run. (Default: that of the checkout)
 */
export async function startCluster(cluster: DemoCluster, program = checkout): Promise<ClusterProcess> {
  const log = openSync(cluster.log, 'a');
  const child = fork(program, ['run', '--config', cluster.config], {
    stdio: ['ignore', log, log, 'ipc'],
    // Each cluster has its own process group: Ctrl-C at the terminal must reach only the demo, which then stops its
    // clusters in order.
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
 * Starts all clusters and calls `onStart` for each one once it serves its roles. The clusters are stopped by
 * `releasers`.
 */
export async function startClusters(
  clusters: readonly DemoCluster[],
  { releasers, onStart }: { releasers: Releasers; onStart: (started: ClusterProcess) => void },
): Promise<ClusterProcess[]> {
  // The first cluster starts alone: it bundles the workflow code, and the others reuse the bundle. If all five started
  // together, each would bundle it.
  const [first, ...others] = clusters;
  if (first === undefined) return [];
  const start = async (cluster: DemoCluster) => {
    const started = await startCluster(cluster);
    releasers.defer(() => started.stop());
    onStart(started);
    return started;
  };
  return [await start(first), ...(await Promise.all(others.map(start)))];
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
    detail: `${cluster.id} ended with ${child.signalCode ?? `exit code ${child.exitCode}`} before it served:\n  ${lines.join('\n  ')}`,
    hint: `The complete log is ${cluster.log}.`,
  });
}
