import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { parseWindowId, type WindowId, windowId } from '../etl/window';
import { inByteOrder } from './byte-order';
import type { Candidates } from './candidates';
import type { Change } from './change';
import { absent, type Seen } from './decision';
import { isExpired } from './expired';
import type { Generation, QuarantinedSource } from './generation';
import { isRecent } from './listing';
import type { Membership } from './membership';
import {
  describeTakenSource,
  looksReinstalled,
  type NameConflict,
  type NameRules,
  namesOfOthers,
  nameTaken,
} from './name-conflicts';
import { decideNames, type NameOwners, ownersAfter } from './names';
import type { WindowResult } from './plan-document';

/** Cluster names that one version of a cluster's file contains, but that the cluster does not own. */
export interface NamesOfSource {
  readonly cluster: ClusterId;
  readonly window: WindowId;
  readonly seen: Seen;
  readonly names: readonly string[];
}

/**
 * What a plan knows about cluster names. `names` contains the owners from the base generation, after any decision by a
 * person has been applied.
 */
export interface PlannedNames extends NameRules {
  /**
   * Cluster names found so far in current files of clusters that do not own them. Some of these names have no owner.
   */
  readonly known: readonly NamesOfSource[];
  /**
   * Clusters whose merged records may carry a name that a person has given to another cluster. All of their windows are
   * checked.
   */
  readonly recheck: ReadonlySet<ClusterId>;
  /**
   * Clusters whose files the base generation quarantines for carrying other clusters' names, but which no longer carry
   * such names.
   */
  readonly freed: ReadonlySet<ClusterId>;
}

/** Returns what a plan that reads no files knows about cluster names: only what a generation says. */
export function standingNames({ names, nameConflicts }: NameRules): PlannedNames {
  return { names, nameConflicts, known: [], recheck: new Set(), freed: new Set() };
}

/**
 * Returns what a rollback knows about cluster names. Names that the target generation knows keep the owners that they
 * have there, because the target's windows carry these names.
 */
export function namesAtRollback(
  target: NameRules,
  newest: NameRules,
  { clusters, removed }: Pick<Membership, 'clusters' | 'removed'>,
): PlannedNames {
  const names = ownersAfter({ ...newest.names, ...target.names }, undefined, removed);
  const included = new Set<string>(clusters);
  const conflicts = Object.entries(target.nameConflicts).filter(([cluster]) => included.has(cluster));
  return standingNames({ names, nameConflicts: Object.fromEntries(conflicts) });
}

export interface PlanNamesInput {
  readonly base?: Generation;
  readonly membership: Pick<Membership, 'clusters' | 'removed' | 'scope'>;
  readonly candidates: Candidates;
  /**
   * If only recent windows were listed: the time, in unix seconds, from which the listing is complete. The listing
   * includes all windows that end after this time. Undefined if all windows were listed.
   */
  readonly since?: number;
  readonly change?: Change;
  /** Cluster names that an earlier attempt of the run found in files of clusters that do not own them. */
  readonly found: readonly NamesOfSource[];
  /** Time of the plan, in unix seconds. */
  readonly now: number;
}

/** Decides which cluster owns each name, based on the base generation and on the names found in current files. */
export function planNames(input: PlanNamesInput): PlannedNames {
  const { base, membership, change, candidates } = input;
  const included = new Set(membership.clusters);
  const names = ownersAfter(base?.names ?? {}, change, membership.removed);
  const known = [...namesOfQuarantined(base?.quarantined ?? []), ...input.found].filter(
    (source) => included.has(source.cluster) && isPresent(source, input),
  );
  const { taken } = decideNames(names, known);
  const nameConflicts = describeTaken(taken, base?.nameConflicts, candidates);
  const recheck = new Set(
    Object.entries(base?.names ?? {})
      .filter(([name, owner]) => included.has(owner) && ownValue(names, name) !== owner)
      .map(([, owner]) => owner),
  );
  const freed = new Set(
    (base?.quarantined ?? []).flatMap(({ cluster, code, dropped }) =>
      code === nameTaken && dropped === undefined && included.has(cluster) && !taken.has(cluster)
        ? cluster
        : [],
    ),
  );
  return { names, nameConflicts, known, recheck, freed };
}

/**
 * Describes the clusters that carry other clusters' names. A cluster that looked like a new installation in the base
 * generation keeps this mark as long as it carries the same names, because a listing of recent windows may no longer
 * show that the cluster looks like one.
 */
function describeTaken(
  taken: ReadonlyMap<ClusterId, NameOwners>,
  before: Readonly<Record<ClusterId, NameConflict>> | undefined,
  candidates: Candidates,
): Record<ClusterId, NameConflict> {
  if (taken.size === 0) return {};
  const windows = windowsOf(candidates);
  const filesOf = (cluster: ClusterId) => windows.get(cluster) ?? [];
  return Object.fromEntries(
    [...taken].map(([cluster, names]) => {
      const old = ownValue(before, cluster);
      const known = old?.reinstalled === true && sameNames(old.names, names);
      return [cluster, { names, reinstalled: known || looksReinstalled(filesOf, cluster, names) }];
    }),
  );
}

function sameNames(a: NameOwners, b: NameOwners): boolean {
  const text = (names: NameOwners) => JSON.stringify(inByteOrder(names));
  return text(a) === text(b);
}

function windowsOf(candidates: Candidates): Map<ClusterId, WindowId[]> {
  const windows = new Map<ClusterId, WindowId[]>();
  for (const id of candidates.windows()) {
    const ref = parseWindowId(id);
    if (ref === undefined) continue;
    for (const cluster of candidates.of(id).keys()) {
      const ofCluster = windows.get(cluster) ?? [];
      ofCluster.push(windowId(ref));
      windows.set(cluster, ofCluster);
    }
  }
  return windows;
}

/**
 * Returns the base generation's quarantined sources, with cluster names and details brought up to date. Omits sources
 * that were quarantined for carrying other clusters' names, if their cluster no longer carries such names: these
 * sources are judged like new files.
 */
export function asNamesSay(
  quarantined: readonly QuarantinedSource[],
  rules: NameRules,
  { clusters }: Pick<Membership, 'clusters'>,
): QuarantinedSource[] {
  const included = new Set(clusters);
  return quarantined.flatMap((source): QuarantinedSource | [] => {
    const { cluster, code, dropped } = source;
    if (code !== nameTaken || dropped !== undefined || !included.has(cluster)) return source;
    if (!Object.hasOwn(rules.nameConflicts, cluster)) return [];
    const names = namesOfOthers(cluster, source.names ?? [], rules);
    return { ...source, names, detail: describeTakenSource(cluster, names, rules) };
  });
}

/**
 * Returns the cluster names that were found in quarantined files of clusters that carry other clusters' names. Ignores
 * files that a person has dropped.
 */
export function namesOfQuarantined(quarantined: readonly QuarantinedSource[]): NamesOfSource[] {
  return quarantined.flatMap(({ cluster, window, seen, code, dropped, names = [] }) =>
    code === nameTaken && dropped === undefined && names.length > 0 ? [{ cluster, window, seen, names }] : [],
  );
}

/** Returns all cluster names that a run has found in files of clusters that do not own them. */
export function namesInResults(results: readonly WindowResult[]): NamesOfSource[] {
  return results.flatMap(({ window, names, quarantined }) => [
    ...names.map((found) => ({ ...found, window })),
    ...namesOfQuarantined(quarantined),
  ]);
}

/** Returns whether the cluster still has this version of the file. A file that was not listed counts as unchanged. */
function isPresent(source: NamesOfSource, { candidates, since, membership, now }: PlanNamesInput): boolean {
  const ref = parseWindowId(source.window);
  if (ref === undefined || isExpired(ref, membership.scope, now)) return false;
  if (since !== undefined && !isRecent(ref, since)) return true;
  return (candidates.of(source.window).get(source.cluster)?.version ?? absent) === source.seen;
}
