import { FederationError } from '../errors/federation-error';
import { describeWindow, parseWindowId, type WindowId } from '../etl/window';
import { count } from '../federation/count';
import { contributes } from '../federation/decision';
import { replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type NameOwners, namesNotOwned } from '../federation/names';
import type { PlannedWindow, PlanShard, WindowResult } from '../federation/plan-document';
import { changedSources, type Provenance } from '../federation/provenance';
import type { ShrunkSource } from '../federation/shrinkage';
import { createMemoryBudget, type MemoryBudget } from '../storage/memory-budget';
import type { FederationDependencies } from './federation-dependencies';
import { touchFinished } from './finished-object';
import { prefix } from './log-plan';
import { createShardCache } from './plan-objects';
import { noPrevious, type PreviousContributions, readPrevious } from './previous-contributions';
import { WindowMerge } from './window-merge';
import { plannedSources, type WindowSource } from './window-sources';

export interface MergeWindowInput {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
  readonly index: number;
  /**
   * If true, the window is merged even if it has been merged already. The plan can also request this for single
   * windows.
   */
  readonly force?: boolean;
}

/**
 * The outcome of merging one planned window. If no cluster has a good contribution, the fingerprint is undefined and
 * the next generation does not contain the window.
 */
export interface MergeOutcome {
  readonly index: number;
  readonly window: WindowId;
  readonly fingerprint?: string;
  readonly digest?: string;
  /** Size of the merged window in bytes. */
  readonly size?: number;
  /** Number of clusters that are part of the merged window. */
  readonly clusters: number;
  /**
   * Number of clusters whose source differs from the one in the last generation: the file changed, or its quarantine
   * began or ended.
   */
  readonly changed: number;
  /** Number of quarantined sources that nobody has dropped. */
  readonly quarantined: number;
  /**
   * Whether the merge wrote a document for the commit: the sources and cluster names that the next generation must
   * list.
   */
  readonly listed: boolean;
  /** True if the merged object already existed. */
  readonly reused: boolean;
  /** True if the last generation contains the window, but the next one will not. */
  readonly removed: boolean;
}

export type MergeWindow = (input: MergeWindowInput) => Promise<MergeOutcome>;

export interface MergeDependencies extends Pick<
  FederationDependencies,
  'bucket' | 'log' | 'heartbeat' | 'signal' | 'threads'
> {
  /**
   * Maximum number of bytes of source files that all merges of this process together hold in memory. (Default: 256 MiB)
   */
  readonly mergeMemory?: number;
  /** Maximum unpacked size of a gzipped source, in bytes. (Default: half of `mergeMemory`) */
  readonly mostUnpacked?: number;
}

const defaultMergeMemory = 256 * 1024 * 1024;
/**
 * Maximum number of bytes of source files that one merge holds in memory. If a window's sources are larger, the excess
 * is read twice.
 */
export const heldByOne = 64 * 1024 * 1024;
const heartbeatEveryMs = 5_000;

/**
 * Creates the activity that merges one planned window. It reads the sources in the versions that were listed,
 * quarantines bad ones, then writes the merged object and its provenance. If a finished object with the window's
 * fingerprint exists, it uses that object instead. It can be repeated safely, because the same sources always produce
 * the same bytes.
 *
 * @throws GENERATION_UNREADABLE if a cluster's last good contribution is needed but cannot be read; STORAGE_CONFLICT if
 *   the sources keep changing; also throws errors of the store
 */
export function createMergeWindow(deps: MergeDependencies): MergeWindow {
  const { bucket } = deps;
  const readShard = createShardCache(bucket);
  const { mergeMemory = defaultMergeMemory, mostUnpacked = mergeMemory / 2 } = deps;
  const memory: MemoryBudget = createMemoryBudget(mergeMemory);
  const mostHeld = Math.min(heldByOne, mergeMemory);
  return async ({ run, attempt, shard, index, force }) => {
    const signal = deps.signal();
    const plannedShard = await readShard(run, attempt, shard);
    const planned = plannedShard.windows[index];
    const ref = planned === undefined ? undefined : parseWindowId(planned.window);
    if (planned === undefined || ref === undefined) {
      throw new FederationError('INTERNAL', {
        detail: `Shard ${shard} of the plan has no window ${index}.`,
        retryable: false,
      });
    }
    const again = force === true || planned.force;
    const log = deps.log.child({
      run,
      pipeline: ref.pipeline,
      resolution: ref.resolution,
      window: planned.window,
    });
    const previous = await readPreviousOrNone(deps, planned, plannedShard, again, signal);
    const { names, nameConflicts } = plannedShard;
    const merge = new WindowMerge({
      ...deps,
      log,
      signal,
      planned,
      ref,
      now: plannedShard.now,
      shrinkage: plannedShard.shrinkage,
      previous,
      rules: { names, nameConflicts },
      force: again,
      memory,
      mostHeld,
      mostUnpacked,
    });
    const beat = setInterval(
      () => deps.heartbeat({ window: planned.window, doing: merge.doing }),
      heartbeatEveryMs,
    );
    try {
      const { sources, merged, reused, shrunk } = await merge.settle(
        plannedSources(planned, previous.clusters),
      );
      if (merged !== undefined && reused && merged.fingerprint !== planned.base) {
        await touchFinished(bucket, merged, { signal });
      }
      const listed = listedSources(planned, sources, namesNotOwnedIn(merged, names), shrunk);
      if (isListed(listed)) {
        await replaceDocument(
          bucket,
          documents.windowQuarantine.at(run, attempt, shard, index),
          { window: planned.window, ...listed },
          { signal },
        );
      }
      const outcome = outcomeOf({ index, planned, sources, listed, merged, reused, previous });
      const { window: _window, ...facts } = outcome;
      log.info(
        { event: outcome.reused ? 'window.found' : 'window.merged', ...facts },
        `${prefix(planned.window)} ${describeOutcome(outcome, describeWindow(ref).slice(ref.resolution.length + 1))}`,
      );
      return outcome;
    } finally {
      clearInterval(beat);
    }
  };
}

/**
 * Reads what each cluster contributed to the window in the last generation. If this cannot be read and the merge is
 * forced, logs a warning and returns no contributions.
 */
async function readPreviousOrNone(
  { bucket, log }: MergeDependencies,
  planned: PlannedWindow,
  shard: PlanShard,
  force: boolean,
  signal: AbortSignal,
): Promise<PreviousContributions> {
  try {
    return await readPrevious(bucket, planned, shard, { signal });
  } catch (error) {
    if (!force || !(error instanceof FederationError) || error.code !== 'GENERATION_UNREADABLE') throw error;
    log.warn(
      { event: 'window.previous-unreadable', window: planned.window, ...error.subject },
      `${prefix(planned.window)} merges ${planned.window} without the contributions of the last generation: ${error.detail}`,
    );
    return noPrevious;
  }
}

/** The sources and cluster names that the next generation lists for a window. */
type ListedSources = Omit<WindowResult, 'window' | 'merged'>;

function listedSources(
  planned: PlannedWindow,
  sources: readonly WindowSource[],
  names: WindowResult['names'],
  shrunk: readonly ShrunkSource[],
): ListedSources {
  const accepted = new Set(
    sources.filter(({ decision }) => decision === 'accepted').map(({ cluster }) => cluster),
  );
  return {
    quarantined: sources.flatMap((source) => source.quarantined ?? []),
    accepted: planned.accepted.filter(({ cluster }) => accepted.has(cluster)),
    names,
    shrunk: [...shrunk],
  };
}

function isListed({ quarantined, accepted, names, shrunk }: ListedSources): boolean {
  return quarantined.length + accepted.length + names.length + shrunk.length > 0;
}

/** Returns the merged sources whose records carry cluster names that their cluster does not own, with these names. */
function namesNotOwnedIn(merged: Provenance | undefined, owners: NameOwners): WindowResult['names'] {
  return (merged?.sources ?? []).flatMap(({ cluster, seen, contribution }) => {
    const names = namesNotOwned(cluster, contribution?.names ?? [], owners);
    return names.length === 0 ? [] : [{ cluster, seen, names }];
  });
}

interface Settled {
  readonly index: number;
  readonly planned: PlannedWindow;
  readonly sources: readonly WindowSource[];
  readonly listed: ListedSources;
  readonly merged: Provenance | undefined;
  readonly reused: boolean;
  readonly previous: PreviousContributions;
}

function outcomeOf({ index, planned, sources, listed, merged, reused, previous }: Settled): MergeOutcome {
  return {
    index,
    window: planned.window,
    ...(merged && { fingerprint: merged.fingerprint, digest: merged.digest, size: merged.size }),
    clusters: sources.filter((source) => contributes(source)).length,
    changed: changedSources(previous.base, sources),
    quarantined: listed.quarantined.filter(({ dropped }) => dropped === undefined).length,
    listed: isListed(listed),
    reused,
    removed: merged === undefined && planned.base !== undefined,
  };
}

function describeOutcome(
  { fingerprint: merged, clusters, changed, reused }: MergeOutcome,
  when: string,
): string {
  if (merged === undefined) return `has no good source for ${when}`;
  return `${reused ? 'found merged' : 'merged'} ${when} from ${count(clusters, 'cluster')} (${changed} changed)`;
}
