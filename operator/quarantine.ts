import { listGenerations } from '../activities/read-generations';
import { catalog, isErrorCode } from '../errors/catalog';
import { clusterId } from '../etl/cluster-id';
import { examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import {
  type AcceptedSource,
  type Generation,
  type QuarantinedSource,
  type QuarantineState,
  quarantineState,
  shrunkSources,
} from '../federation/generation';
import { adviseOnNameConflict, describeNameConflict, nameTaken } from '../federation/name-conflicts';
import type { Notice } from '../federation/notices';
import type { ShrunkSource } from '../federation/shrinkage';
import type { BucketReader } from '../storage/bucket';
import { findNewest } from './newest-generation';

/** A notice about a cluster's folder, and advice on what to do. */
export interface ListedNotice extends Notice {
  readonly means: string;
  readonly hint: string;
}

/**
 * The quarantined sources of the newest generation that can be read, and notices about the clusters' folders.
 * `quarantine --json` prints exactly this.
 */
export interface Quarantine {
  /** Number of the newest generation that can be read; undefined if there is none. */
  readonly generation?: number;
  readonly sources: readonly ListedSource[];
  /**
   * The clusters whose records contain names of other clusters. All quarantined sources of these clusters are in
   * `sources`, too.
   */
  readonly nameConflicts: readonly ListedConflict[];
  readonly notices: readonly ListedNotice[];
  /** The sources that lost a large part of their data but were merged, because their windows were still young. */
  readonly shrunk: readonly ShrunkSource[];
  /** The sources that are merged although they looked wrong, because a person has accepted them. */
  readonly accepted: readonly AcceptedSource[];
  /** Sentences that say which newer generations are damaged or missing, and what to do about it. */
  readonly damaged: readonly string[];
}

/**
 * A cluster whose records contain names of other clusters, and the number of its sources that are quarantined for this
 * reason.
 */
export interface ListedConflict extends Pick<ListedSource, 'cluster' | 'since' | 'detail' | 'hint'> {
  /**
   * Number of quarantined sources. `carrying` is the number of those whose own records contain a name of another
   * cluster.
   */
  readonly sources: number;
  readonly carrying: number;
}

/** A quarantined source, the generation since which it has been quarantined, and advice on what to do. */
export interface ListedSource extends QuarantinedSource {
  readonly state: QuarantineState;
  /**
   * Number of the generation since which the source has been quarantined without interruption. If older generations
   * have been cleaned up, it may have been quarantined even longer.
   */
  readonly since: number;
  /** Advice on what to do about the source; empty if this version of the software does not know the error code. */
  readonly hint: string;
}

/**
 * Returns the quarantined sources of the newest generation. Reads older generations to find out since when each source
 * has been quarantined.
 */
export async function readQuarantine(bucket: BucketReader): Promise<Quarantine> {
  const { generation: newest, damage: damaged } = await findNewest(bucket);
  if (newest === undefined)
    return { sources: [], accepted: [], nameConflicts: [], notices: [], shrunk: [], damaged };
  const since = await listedSince(bucket, newest);
  const sources = newest.quarantined.map((source) => ({
    ...source,
    state: quarantineState(source),
    since: since.get(identity(source)) ?? newest.generation,
    hint: isErrorCode(source.code) ? catalog[source.code].hint : '',
  }));
  const notices = newest.notices.map((notice) => {
    const { means, hint } = catalog[notice.code];
    return { ...notice, means, hint };
  });
  return {
    generation: newest.generation,
    sources,
    accepted: newest.accepted,
    nameConflicts: listConflicts(newest, sources),
    notices,
    shrunk: shrunkSources(newest),
    damaged,
  };
}

/**
 * For each source that `newest` quarantines, returns the number of the generation since which the source has been
 * quarantined without interruption. The key of a source in the map is what `identity` returns for it.
 */
async function listedSince(bucket: BucketReader, newest: Generation): Promise<Map<string, number>> {
  const since = new Map(newest.quarantined.map((source) => [identity(source), newest.generation]));
  let open = new Set(since.keys());
  for (const { generation: number } of (await listGenerations(bucket)).reverse()) {
    if (number >= newest.generation) continue;
    if (open.size === 0) break;
    const earlier = await examineDocument(bucket, documents.generation.at(number));
    // A damaged generation does not show what it quarantined. Skip it and look at the generation before it.
    if (earlier.damage !== undefined) continue;
    if (earlier.value === undefined) break;
    open = new Set(earlier.value.quarantined.map(identity).filter((source) => open.has(source)));
    for (const source of open) since.set(source, number);
  }
  return since;
}

function listConflicts(newest: Generation, sources: readonly ListedSource[]): ListedConflict[] {
  return Object.entries(newest.nameConflicts).map(([cluster, conflict]) => {
    const own = sources.filter((source) => source.cluster === cluster && source.code === nameTaken);
    return {
      cluster: clusterId(cluster),
      sources: own.length,
      carrying: own.filter(({ names = [] }) => names.length > 0).length,
      since: Math.min(newest.generation, ...own.map(({ since }) => since)),
      detail: describeNameConflict(cluster, conflict),
      hint: adviseOnNameConflict(cluster, conflict),
    };
  });
}

function identity({ cluster, window, code }: QuarantinedSource): string {
  return `${cluster}\n${window}\n${code}`;
}
