import { hostname } from 'node:os';
import { TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import { namespaceUnavailable } from './connect';
import type { RoleContext } from './role';
import { workflowBundle } from './workflow-bundle';
import { asActivities } from './as-activity';

/** How long activities may finish after a SIGTERM; then they are cancelled and tried again by whoever runs next. */
const shutdownGraceTime = '10s';

interface Serving {
  readonly taskQueue: string;
  readonly activities: object;
  /** Whether it also replays workflows. */
  readonly workflows: boolean;
  readonly maxConcurrentActivityTaskExecutions: number;
}

/** A worker on one task queue, with the settings that all of ours share. */
export async function createWorker(
  { settings, native, metrics, held }: RoleContext,
  serving: Serving,
): Promise<Worker> {
  const options: WorkerOptions = {
    connection: native,
    namespace: settings.temporal.namespace,
    taskQueue: serving.taskQueue,
    // With the host: in containers every process has the same number.
    identity: `${settings.clusterId}@${hostname()}/${process.pid}`,
    activities: asActivities(serving.activities, (run) => metrics.activityRan(run)),
    maxConcurrentActivityTaskExecutions: serving.maxConcurrentActivityTaskExecutions,
    // The default is computed from the heap and is too much for a small container.
    maxCachedWorkflows: 100,
    shutdownGraceTime,
  };
  const bundled = serving.workflows ? { ...options, workflowBundle: await workflowBundle() } : options;
  const worker = await Worker.create(bundled).catch((error: unknown) => {
    // What a worker asks of the server at its start is the namespace.
    if (!(error instanceof TransportError)) throw error;
    throw namespaceUnavailable(settings.temporal, 'does not describe the namespace', {
      hint: 'Look whether the server is well and what `federated-etl doctor` says of it, then start again.',
      cause: error,
    });
  });
  // One that never ran, as something else failed, would keep the connection open, and only a run ends it.
  held.defer(async () => {
    if (worker.getState() === 'INITIALIZED') await worker.runUntil(Promise.resolve());
  });
  return worker;
}
