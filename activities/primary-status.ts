import type { GenerationIdentity } from '../federation/identity';
import { FileCache, pushCache } from '../local-etl/file-cache';
import { ownNames } from '../local-etl/own-names';
import { primaryState, type PullRefusal } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';
import { type FileNotes, noteFile } from './file-notes';

export interface PrimaryStatus {
  /**
   * - `waiting`: not all of the cluster's own windows are combined yet.
   * - `entered`: the cluster is a primary, but has not pulled yet.
   * - `pulling`: the cluster has pulled at least once.
   * - `refused`: the bucket does not continue what the cluster has pulled, so the cluster keeps serving what it has.
   * - `left`: the cluster is no longer a primary.
   */
  state: 'entered' | 'waiting' | 'pulling' | 'refused' | 'left';
  /** Tells the operator why the cluster is waiting, or what to do. Set only if the state is `waiting`. */
  waitingFor?: string;
  /** Time at which the cluster began to wait, in RFC 3339 format. Set only if the state is `waiting`. */
  waitingSince?: string;
  guardPassedAt?: string;
  firstPullAt?: string;
  leftAt?: string;
  /** Name of the backup that was made before the first file was overwritten. Undefined if none was made. */
  backup?: string;
  lastPull?: { generation: number; at: string };
  /**
   * The newest generation from which a pull has written a file. Later pulls accept only generations that continue it.
   */
  known?: GenerationIdentity;
  /**
   * Id of a federation. The next pull may take a generation of this federation even if that generation does not
   * continue `known`.
   */
  accepts?: string;
  /** Why the last pull changed nothing, and what to do. Set only if the state is `refused`. */
  pullRefused?: PullRefusal;
  /** The names by which this cluster's own records are recognized. */
  ownNames: string[];
  /** Files that the last push refused, because they might not be the cluster's own. */
  refused: FileNotes;
}

export interface PrimaryStatusDependencies {
  readonly cluster: string;
  readonly store: LocalEtl;
  /** Local ETL to which pulled files are written. (Default: `store`) */
  readonly pullStore?: LocalEtl;
}

/** Creates the activity that reports the primary state recorded on the volume. */
export function createPrimaryStatus(deps: PrimaryStatusDependencies): () => Promise<PrimaryStatus> {
  return async () => {
    const { cluster, store, pullStore = store } = deps;
    const { format: _format, backup, refused: pullRefused, ...state } = await primaryState(pullStore);
    const refused: FileNotes = { count: 0, examples: [] };
    for (const note of (await FileCache.open(store, pushCache)).refused()) noteFile(refused, note);
    return {
      ...state,
      ...(backup ? { backup } : {}),
      ...(pullRefused ? { pullRefused } : {}),
      state: pullRefused !== undefined && state.leftAt === undefined ? 'refused' : stateOf(state),
      ownNames: [...(await ownNames(store, cluster))],
      refused,
    };
  };
}

function stateOf(state: {
  leftAt?: string;
  firstPullAt?: string;
  waitingFor?: string;
}): PrimaryStatus['state'] {
  if (state.leftAt !== undefined) return 'left';
  if (state.waitingFor !== undefined) return 'waiting';
  return state.firstPullAt === undefined ? 'entered' : 'pulling';
}
