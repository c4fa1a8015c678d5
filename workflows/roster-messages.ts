import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  setHandler,
} from '@temporalio/workflow';
import { failureOf } from './attempts';
import { asRunFailure } from './failure';
import {
  type ClusterMessage,
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  parseClusterMessage,
  type RosterAnswer,
} from './messages';
import type { RunState } from './run-state';

type Kind = 'exclude' | 'include';

/**
 * Handles requests to exclude or include a cluster, which reach a run as signals or updates. Forwards them to the
 * roster workflow, from which the commit reads the exclusions. The result of an update says whether the change takes
 * effect in this run or in the next one. Must be called before the run's first await. The caller must call the returned
 * function when the run has ended, successfully or not.
 */
export function handleRosterMessages(rosterId: string, state: RunState): () => void {
  let ended = false;
  const roster = getExternalWorkflowHandle(rosterId);
  // Send one signal at a time: concurrent signals may arrive in a different order, but the last request must win.
  // Signals are sent even if the run has been cancelled.
  let last: Promise<void> = Promise.resolve();
  const inOrder = (send: () => Promise<void>): Promise<void> => {
    const sent = last.then(() => CancellationScope.nonCancellable(send));
    last = sent.catch(() => undefined);
    return sent;
  };
  const sendToRoster = async (kind: Kind, message: ClusterMessage): Promise<RosterAnswer> => {
    await inOrder(() => roster.signal(kind === 'exclude' ? excludeCluster : includeCluster, message));
    // If the run is committing, wait for the result: only the result shows whether the commit included this change.
    await condition(() => ended || state.progress.phase !== 'committing');
    return { cluster: message.cluster, from: counts(kind, message.cluster) ? 'in this run' : 'in the next' };
  };
  const counts = (kind: Kind, cluster: string): boolean => {
    const result = state.committed?.result;
    if (state.plan?.outcome === 'on-hold') return false;
    if (result !== undefined && 'exclusions' in result)
      return result.exclusions.includes(cluster) === (kind === 'exclude');
    return !ended && state.committed === undefined;
  };
  const onSignal = (kind: Kind) => async (message: unknown) => {
    // A signal cannot be rejected, so log and ignore a signal that names no cluster.
    const parsed = parseClusterMessage(message);
    if (parsed === undefined) log.warn('A signal that names no cluster was ignored', { message });
    else
      await sendToRoster(kind, parsed).catch((error: unknown) => {
        const { code, message: reason } = failureOf(error);
        log.error('The roster could not be notified', { code, reason });
      });
  };
  const onUpdate = (kind: Kind) => async (message: unknown) => {
    const parsed = parseClusterMessage(message);
    if (parsed === undefined)
      throw ApplicationFailure.nonRetryable('No cluster was named.', 'CLUSTER_UNKNOWN');
    return sendToRoster(kind, parsed).catch((error: unknown) => {
      throw asRunFailure(error);
    });
  };
  const validator = (message: unknown) => {
    const cluster = parseClusterMessage(message)?.cluster;
    if (cluster === undefined) throw new TypeError('Say which cluster: {"cluster": "…", "reason": "…"}');
    if (!mayBeKnown(state, cluster)) throw new TypeError(`No cluster ${cluster} is known to this run.`);
  };
  setHandler(excludeCluster, onSignal('exclude'), {
    description:
      'Take a cluster out of every window, in this run if it has not committed: {"cluster": "…", "reason": "…"}',
  });
  setHandler(includeCluster, onSignal('include'), {
    description: 'Bring an excluded cluster back with its history: {"cluster": "…"}',
  });
  setHandler(excludeClusterUpdate, onUpdate('exclude'), { validator });
  setHandler(includeClusterUpdate, onUpdate('include'), { validator });
  return () => {
    ended = true;
  };
}

/**
 * Returns false if the cluster is certainly unknown to the run: the plan lists all clusters, and this cluster is not
 * among them. Otherwise returns true.
 */
function mayBeKnown({ plan }: RunState, cluster: string): boolean {
  if (plan === undefined) return true;
  const lists = [plan.clusters, plan.excluded];
  return lists.some(({ count, ids }) => ids.length < count || ids.includes(cluster));
}
