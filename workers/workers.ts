import { hostname } from 'node:os';
import { TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import { asActivities } from './as-activity';
import { namespaceUnavailable } from './connect';
import type { RoleContext } from './role';
import { workflowBundle } from './workflow-bundle';

/** Time that activities have to finish after a SIGTERM; then they are cancelled, and retried by the next worker. */
const shutdownGraceTime = '10s';

interface Serving {
  readonly taskQueue: string;
  readonly activities: object;
  /** Whether it also replays workflows. */
  readonly workflows: boolean;
  readonly maxConcurrentActivityTaskExecutions: number;
}

/** A worker on one task queue, with the options common to all our workers. */
export async function createWorker(
  { settings, native, metrics, held }: RoleContext,
  serving: Serving,
): Promise<Worker> {
  const options: WorkerOptions = {
    connection: native,
    namespace: settings.temporal.namespace,
    taskQueue: serving.taskQueue,
    // Includes the host, since processes in containers often have the same pid.
    identity: `${settings.clusterId}@${hostname()}/${process.pid}`,
    activities: asActivities(serving.activities, (run) => metrics.activityRan(run)),
    maxConcurrentActivityTaskExecutions: serving.maxConcurrentActivityTaskExecutions,
    // The default is computed from the heap and is too much for a small container.
    maxCachedWorkflows: 100,
    shutdownGraceTime,
  };
  const bundled = serving.workflows ? { ...options, workflowBundle: await workflowBundle() } : options;
  const worker = await Worker.create(bundled).catch((error: unknown) => {
    // On start-up, a worker asks the server only for the namespace.
    if (!(error instanceof TransportError)) throw error;
    throw namespaceUnavailable(settings.temporal, 'does not describe the namespace', {
      hint: 'Check the server, with `federated-etl doctor` for example, then start again.',
      cause: error,
    });
  });
  // A worker that never ran, because something else failed, keeps the connection open; only running it releases it.
  held.defer(async () => {
    if (worker.getState() === 'INITIALIZED') await worker.runUntil(Promise.resolve());
  });
  return worker;
}
