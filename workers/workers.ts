import { hostname } from 'node:os';
import { TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import { asActivities } from './as-activity';
import { namespaceUnavailable } from './connect';
import type { RoleContext } from './role';
import { workflowBundle } from './workflow-bundle';

/**
 * Time that activities have to finish after a SIGTERM. Those that take longer are cancelled, and the next worker
 * retries them.
 */
const shutdownGraceTime = '10s';

interface Serving {
  readonly taskQueue: string;
  readonly activities: object;
  /** Whether the worker also runs workflows. */
  readonly workflows: boolean;
  readonly maxConcurrentActivityTaskExecutions: number;
}

/** Creates a worker on one task queue, with the options that all our workers have in common. */
export async function createWorker(
  { settings, native, metrics, held }: RoleContext,
  serving: Serving,
): Promise<Worker> {
  const options: WorkerOptions = {
    connection: native,
    namespace: settings.temporal.namespace,
    taskQueue: serving.taskQueue,
    // The identity includes the host name, since processes in containers often have the same pid.
    identity: `${settings.clusterId}@${hostname()}/${process.pid}`,
    activities: asActivities(serving.activities, (run) => metrics.activityRan(run)),
    maxConcurrentActivityTaskExecutions: serving.maxConcurrentActivityTaskExecutions,
    // The SDK computes its default from the heap size, which gives too many for a small container.
    maxCachedWorkflows: 100,
    shutdownGraceTime,
  };
  const bundled = serving.workflows ? { ...options, workflowBundle: await workflowBundle() } : options;
  const worker = await Worker.create(bundled).catch((error: unknown) => {
    // The only request that a worker sends to the server when it starts is for the namespace, so that is what failed.
    if (!(error instanceof TransportError)) throw error;
    throw namespaceUnavailable(settings.temporal, 'does not describe the namespace', {
      hint: 'Check the server, with `federated-etl doctor` for example, then start again.',
      cause: error,
    });
  });
  // If something else fails, this worker may never run. It then keeps the connection open, and only running it releases
  // the connection.
  held.defer(async () => {
    if (worker.getState() === 'INITIALIZED') await worker.runUntil(Promise.resolve());
  });
  return worker;
}
