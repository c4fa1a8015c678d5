import { FileMemory, pushCache } from '../local-etl/file-memory';
import { ownNames } from '../local-etl/own-names';
import { primaryMemory } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';
import { type FileNotes, noteFile } from './push-local-etl';

export interface PrimaryStatus {
  /** `waiting` for its own windows, `entered` but without a pull yet, `pulling`, or `left`. */
  state: 'entered' | 'waiting' | 'pulling' | 'left';
  /** While `waiting`: for what, or what to do. */
  waitingFor?: string;
  guardPassedAt?: string;
  firstPullAt?: string;
  leftAt?: string;
  /** The backup taken before the first overwrite. */
  backup?: string;
  lastPull?: { generation: number; at: string };
  /** The names that this cluster's own records carry. */
  ownNames: string[];
  /** Files that are not pushed because they are not surely its own, as the last push found them. */
  refused: FileNotes;
}

export interface PrimaryStatusDependencies {
  readonly cluster: string;
  readonly store: LocalEtl;
  /** Where what is pulled lies. (Default: `store`) */
  readonly pullStore?: LocalEtl;
}

/** What the volume remembers of being a primary. */
export function createPrimaryStatus(deps: PrimaryStatusDependencies): () => Promise<PrimaryStatus> {
  return async () => {
    const { cluster, store, pullStore = store } = deps;
    const { format: _format, backup, ...memory } = await primaryMemory(pullStore);
    const refused: FileNotes = { count: 0, examples: [] };
    for (const note of (await FileMemory.open(store, pushCache)).refused()) noteFile(refused, note);
    return {
      ...memory,
      ...(backup ? { backup } : {}),
      state: stateOf(memory),
      ownNames: [...(await ownNames(store, cluster))],
      refused,
    };
  };
}

function stateOf(memory: {
  leftAt?: string;
  firstPullAt?: string;
  waitingFor?: string;
}): PrimaryStatus['state'] {
  if (memory.leftAt !== undefined) return 'left';
  if (memory.waitingFor !== undefined) return 'waiting';
  return memory.firstPullAt === undefined ? 'entered' : 'pulling';
}
