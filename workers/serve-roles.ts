import type { Worker } from '@temporalio/worker';
import type { StartedRole } from './role';

/**
 * Serves roles until `stop` is aborted, then shuts their workers down gracefully. Calls `begun` when all roles have
 * begun, and tells it whether they are already stopping. If a role fails, stops all of them and throws its error: a
 * process that does only half of its work would look healthy.
 */
export async function serveRoles(
  roles: readonly Pick<StartedRole, 'workers' | 'begin'>[],
  stop: AbortSignal,
  begun: (stopping: boolean) => void,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  const endAll = (error: unknown) => {
    failed.abort();
    throw error;
  };
  const served = roles.flatMap(({ workers }) => workers.map((worker) => runUntil(worker, either)));
  const all = [Promise.all(roles.map((role) => role.begin())).then(() => begun(either.aborted)), ...served];
  const ended = await Promise.allSettled(all.map((one) => one.catch(endAll)));
  const failure = ended.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

async function runUntil(worker: Worker, stop: AbortSignal): Promise<void> {
  const run = worker.run();
  const shutdown = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  stop.addEventListener('abort', shutdown, { once: true });
  if (stop.aborted) shutdown();
  await run.finally(() => stop.removeEventListener('abort', shutdown));
}
