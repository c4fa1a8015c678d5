import { hostname } from 'node:os';
import { type InjectedSinks, TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Settings } from '../config/settings';
import { FederationError } from '../errors/federation-error';
import type { FederationSinks } from '../workflows/sinks';
import { asActivities } from './as-activity';
import type { RoleContext } from './role';
import { workflowBundle } from './workflow-bundle';

/**
 * Time that running activities have to finish after a SIGTERM. Activities that take longer are cancelled, and the next
 * worker retries them.
 */
const shutdownGraceTime = '10s';

/**
 * Returns the identity of this process's workers. It has the host name, because processes in different containers often
 * have the same pid.
 */
export function workerIdentity({ clusterId }: Pick<Settings, 'clusterId'>): string {
  return `${clusterId}@${hostname()}/${process.pid}`;
}

interface Serving {
  readonly taskQueue: string;
  readonly activities: object;
  /** If true, the worker also runs workflows; otherwise only activities. */
  readonly workflows: boolean;
  /** Functions of this process that workflows may call. */
  readonly sinks?: InjectedSinks<FederationSinks>;
  readonly maxConcurrentActivityTaskExecutions: number;
  /** Called when an activity has ended, successfully or not. */
  readonly onActivityEnd?: () => void;
}

/** Creates a worker for one task queue, with the options that all workers of this program share. */
export async function createWorker(
  { settings, native, dataConverter, metrics, held }: RoleContext,
  serving: Serving,
): Promise<Worker> {
  const options: WorkerOptions = {
    connection: native,
    dataConverter,
    namespace: settings.temporal.namespace,
    taskQueue: serving.taskQueue,
    identity: workerIdentity(settings),
    activities: asActivities(serving.activities, (run) => {
      metrics.activityRan(run);
      serving.onActivityEnd?.();
    }),
    maxConcurrentActivityTaskExecutions: serving.maxConcurrentActivityTaskExecutions,
    // The SDK derives its default from the heap size. That default is too high for a small container.
    maxCachedWorkflows: 100,
    shutdownGraceTime,
    ...(serving.sinks && { sinks: serving.sinks }),
  };
  const bundled = serving.workflows
    ? { ...options, workflowBundle: await workflowBundle(settings.temporal.encryptionKeys.length > 0) }
    : options;
  const worker = await Worker.create(bundled).catch((error: unknown) => {
    // While a worker is created, the SDK sends a single request: it asks for a description of the namespace.
    // A transport error therefore means that this request has failed.
    if (!(error instanceof TransportError)) throw error;
    const { address, namespace } = settings.temporal;
    throw new FederationError('TEMPORAL_UNAVAILABLE', {
      subject: { setting: 'temporal.namespace' },
      detail: `The Temporal server at ${address} does not describe the namespace ${namespace}.`,
      hint: 'Check the server, with `federated-etl doctor` for example, then start again.',
      cause: error,
    });
  });
  // A worker that is never run keeps its connection open. The SDK closes it only when the worker is run and shut down.
  held.defer(async () => {
    if (worker.getState() === 'INITIALIZED') await worker.runUntil(Promise.resolve());
  });
  return worker;
}
