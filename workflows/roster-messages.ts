import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  setHandler,
} from '@temporalio/workflow';
import { asRunFailure } from './failure';
import {
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  parseClusterMessage,
  type ClusterMessage,
  type RosterAnswer,
} from './messages';
import type { RunState } from './run-state';

type Kind = 'exclude' | 'include';

/**
 * Takes what a person sends to a run to exclude or include a cluster, as a signal or as an update, and passes it on to the
 * roster, where the commit reads it. The answer to an update says from which run on it counts. To be called before the
 * run's first await; what it gives is to be called when the run has ended, one way or the other.
 */
export function handleRosterMessages(rosterId: string, state: RunState): () => void {
  let ended = false;
  const roster = getExternalWorkflowHandle(rosterId);
  // Signals that are under way at the same time may overtake one another, and it is the last word that has to count;
  // also when the run ends meanwhile.
  let last: Promise<void> = Promise.resolve();
  const inOrder = (send: () => Promise<void>): Promise<void> => {
    const sent = last.then(() => CancellationScope.nonCancellable(send));
    last = sent.catch(() => undefined);
    return sent;
  };
  const tellRoster = async (kind: Kind, message: ClusterMessage): Promise<RosterAnswer> => {
    await inOrder(() => roster.signal(kind === 'exclude' ? excludeCluster : includeCluster, message));
    // While the commit is under way only its result tells whether it read the roster before or after this.
    await condition(() => ended || state.progress.phase !== 'committing');
    return { cluster: message.cluster, from: counts(kind, message.cluster) ? 'in this run' : 'in the next' };
  };
  const counts = (kind: Kind, cluster: string): boolean => {
    const result = state.committed?.result;
    if (result !== undefined && result.status !== 'replan')
      return result.exclusions.includes(cluster) === (kind === 'exclude');
    return !ended && state.committed === undefined;
  };
  const onSignal = (kind: Kind) => async (message: unknown) => {
    // A signal cannot be refused: one that names no cluster is told of and passed over.
    const parsed = parseClusterMessage(message);
    if (parsed === undefined) log.warn('A signal that names no cluster was passed over', { message });
    else
      await tellRoster(kind, parsed).catch((error: unknown) =>
        log.error('The roster was not told', { error: String(error) }),
      );
  };
  const onUpdate = (kind: Kind) => async (message: unknown) => {
    const parsed = parseClusterMessage(message);
    if (parsed === undefined)
      throw ApplicationFailure.nonRetryable('No cluster was named.', 'CLUSTER_UNKNOWN');
    return tellRoster(kind, parsed).catch((error: unknown) => {
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

/** False only when the plan lists all clusters that there are and this is none of them. */
function mayBeKnown({ plan }: RunState, cluster: string): boolean {
  if (plan === undefined) return true;
  const lists = [plan.clusters, plan.excluded];
  return lists.some(({ count, ids }) => ids.length < count || ids.includes(cluster));
}
