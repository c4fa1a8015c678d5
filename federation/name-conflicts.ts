import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { parseWindowId, type WindowId } from '../etl/window';
import { clusterIdSchema } from './ids';
import { type NameOwners, namesNotOwned } from './names';

/**
 * A cluster whose records carry names that other clusters own. As long as its records carry such names, new files of
 * the cluster are not merged, but quarantined with the code CLUSTER_NAME_TAKEN.
 */
export const nameConflictSchema = z.object({
  /** The names, each with the cluster that owns it. */
  names: z.record(z.string(), clusterIdSchema),
  /**
   * Whether the cluster looks like a new installation of the owner: its windows begin where those of the owner end.
   */
  reinstalled: z.boolean(),
});
export type NameConflict = z.infer<typeof nameConflictSchema>;

/** Error code of sources that are quarantined because of a name conflict. */
export const nameTaken = 'CLUSTER_NAME_TAKEN';

/** Maximum number of names that a sentence lists. */
const mostNames = 5;

/**
 * Returns one or two sentences that say which names the cluster's records carry, and which clusters own these names.
 */
export function describeNameConflict(cluster: string, { names, reinstalled }: NameConflict): string {
  const all = Object.entries(names);
  const [first] = all;
  const shown = all.slice(0, mostNames).map(([name, owner]) => `${name} (of ${owner})`);
  const more = all.length > mostNames ? `, and ${all.length - mostNames} more` : '';
  const what =
    first !== undefined && all.length === 1
      ? `the cluster name ${first[0]}, which belongs to ${first[1]}`
      : `cluster names that belong to others: ${shown.join(', ')}${more}`;
  const looks = `${cluster} looks like a new installation of ${first?.[1]}: its windows begin where those of ${first?.[1]} end.`;
  return `Records of ${cluster} carry ${what}.${reinstalled ? ` ${looks}` : ''}`;
}

/** Describes every name conflict, in the words of `describeNameConflict`. */
export function describeNameConflicts({ nameConflicts }: Pick<NameRules, 'nameConflicts'>): string[] {
  return Object.entries(nameConflicts).map(([cluster, conflict]) => describeNameConflict(cluster, conflict));
}

/** The owners of the cluster names, and the clusters that carry other clusters' names. */
export interface NameRules {
  readonly names: NameOwners;
  readonly nameConflicts: Readonly<Record<ClusterId, NameConflict>>;
}

/**
 * Returns those names in `carried` that belong to other clusters. Returns none if the cluster has no known name
 * conflict.
 */
export function namesOfOthers(
  cluster: ClusterId,
  carried: readonly string[],
  { names, nameConflicts }: NameRules,
): string[] {
  const conflict = ownValue(nameConflicts, cluster);
  if (conflict === undefined) return [];
  return namesNotOwned(cluster, carried, names).filter(
    (name) => Object.hasOwn(conflict.names, name) || Object.hasOwn(names, name),
  );
}

/**
 * Returns a text that says why a file is quarantined, if its cluster carries other clusters' names. `names` lists the
 * other clusters' names in this file. The list may be empty, because all new files of such a cluster are quarantined.
 */
export function describeTakenSource(
  cluster: ClusterId,
  names: readonly string[],
  { nameConflicts }: NameRules,
): string {
  const conflict = nameConflicts[cluster] ?? { names: {}, reinstalled: false };
  const none = names.length > 0 ? '' : ' This file does not, but is quarantined with the others.';
  return `${describeNameConflict(cluster, conflict)}${none}`;
}

/** Returns a text that says what an operator can do about a name conflict. */
export function adviseOnNameConflict(cluster: string, { names }: NameConflict): string {
  const [[name, owner] = ['NAME', 'OWNER']] = Object.entries(names);
  return (
    `If ${cluster} is wrong, correct the name in its cost model, and let it build and push its windows again. ` +
    `If the name is its own, run \`federated-etl accept ${cluster} --name ${name}\`. ` +
    `If ${owner} no longer exists, run \`federated-etl cluster remove ${owner}\`.`
  );
}

/** Maximum time in seconds for which an old and a new installation of a cluster may both have windows. */
const longestOverlap = 2 * 86_400;

/**
 * Returns whether a cluster looks like a new installation of the cluster that owns `names`. This is the case if both of
 * these are true in every pipeline and resolution for which both clusters have files:
 * - The owner's windows begin earlier and end earlier than the cluster's windows.
 * - The windows of the two clusters overlap by at most `longestOverlap`.
 *
 * Returns false if `names` have several owners, or if there is no such pipeline and resolution.
 */
export function looksReinstalled(
  filesOf: (cluster: ClusterId) => readonly WindowId[],
  cluster: ClusterId,
  names: NameOwners,
): boolean {
  const owners = new Set(Object.values(names));
  const [owner] = owners;
  if (owner === undefined || owners.size > 1) return false;
  const [before, after] = [spansOf(filesOf(owner)), spansOf(filesOf(cluster))];
  const shared = [...after].flatMap(([kind, span]) => {
    const old = before.get(kind);
    return old === undefined ? [] : [{ old, span }];
  });
  return (
    shared.length > 0 &&
    shared.every(
      ({ old, span }) =>
        old.start < span.start && old.end < span.end && old.end - span.start <= longestOverlap,
    )
  );
}

/** Returns the time from the first to the last window, for each pipeline and resolution. */
function spansOf(windows: readonly WindowId[]): Map<string, { start: number; end: number }> {
  const spans = new Map<string, { start: number; end: number }>();
  for (const id of windows) {
    const ref = parseWindowId(id);
    if (ref === undefined) continue;
    const { pipeline, resolution, window } = ref;
    const kind = `${pipeline}/${resolution}`;
    const span = spans.get(kind) ?? { start: window.start, end: window.end };
    spans.set(kind, { start: Math.min(span.start, window.start), end: Math.max(span.end, window.end) });
  }
  return spans;
}
