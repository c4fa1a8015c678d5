import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import { byBytes, inByteOrder } from './byte-order';
import { clusterIdSchema, keysOf } from './ids';

/** The exclusion of a cluster by a person. */
export const exclusionSchema = z.object({
  /** Reason that the person gave; may be empty. */
  reason: z.string(),
  /** Time of the exclusion, RFC 3339. */
  at: z.string(),
});
export type Exclusion = z.infer<typeof exclusionSchema>;

/** The clusters and windows that the federator's settings allow. */
export const scopeSchema = z.object({
  /** Ids of the only clusters that may be included; undefined: all. */
  include: z.array(z.string()).optional(),
  /** Ids of clusters that are never included. */
  exclude: z.array(z.string()),
  /** Windows that start before this time are not touched; RFC 3339. */
  cutoff: z.string().optional(),
  /** Retention in seconds, by resolution. Windows that ended longer ago are removed from Combined Storage. */
  retention: z.record(z.string(), z.number().int().positive()).optional(),
});
export type Scope = z.infer<typeof scopeSchema>;

/** A cluster that has data but is excluded: by the settings, or by a person through the roster. */
export const excludedSchema = z.object({
  by: z.enum(['settings', 'person']),
  reason: z.string(),
  /**
   * Number of the newest generation that included the cluster, if any: it contains the cluster's last contributions.
   */
  lastGeneration: z.number().int().positive().optional(),
});
export type Excluded = z.infer<typeof excludedSchema>;

/** Which clusters a generation includes and excludes, and why. */
export const membershipSchema = z.object({
  /** Cluster id of the federator that committed the generation. */
  federator: z.string(),
  scope: scopeSchema,
  /** The roster's exclusions, by cluster id. */
  exclusions: z.record(z.string(), exclusionSchema),
  /** The included clusters, sorted by the bytes of their ids. */
  clusters: z.array(clusterIdSchema),
  /** The excluded clusters that have data, by cluster id. */
  excluded: z.record(clusterIdSchema, excludedSchema),
});
export type Membership = z.infer<typeof membershipSchema>;

/**
 * The settings and exclusions, which decide membership. Two federators with the same rules can stand in for each other.
 */
export type MembershipRules = Pick<Membership, 'scope' | 'exclusions'>;

export interface MembershipInput extends MembershipRules {
  readonly federator: string;
  /** The clusters that have a folder, in any order. */
  readonly discovered: readonly ClusterId[];
  /** The newest generation, if there is one. */
  readonly base?: { readonly generation: number; readonly membership: Membership };
}

/**
 * Decides which clusters are included. The roster can exclude clusters that the settings allow, but it cannot include
 * any others. A cluster of the newest generation stays a member even if its folder is gone: its files have vanished,
 * but nobody has removed the cluster.
 */
export function resolveMembership(input: MembershipInput): Membership {
  const { base, scope, exclusions } = input;
  const clusters: ClusterId[] = [];
  const excluded: Record<ClusterId, Excluded> = {};
  for (const cluster of knownClusters(input)) {
    const out = excludedBy(cluster, scope, exclusions[cluster]);
    if (out === undefined) clusters.push(cluster);
    else excluded[cluster] = { ...out, ...lastGeneration(cluster, base) };
  }
  return { federator: input.federator, scope, exclusions: inByteOrder(exclusions), clusters, excluded };
}

function knownClusters({ discovered, base }: MembershipInput): ClusterId[] {
  const excluded = base?.membership.excluded ?? {};
  const waiting = keysOf(excluded).filter((cluster) => excluded[cluster]?.lastGeneration !== undefined);
  return [...new Set([...discovered, ...(base?.membership.clusters ?? []), ...waiting])].sort(byBytes);
}

function excludedBy(cluster: string, scope: Scope, exclusion: Exclusion | undefined): Excluded | undefined {
  if (scope.exclude.includes(cluster)) return { by: 'settings', reason: 'the settings exclude it' };
  if (scope.include !== undefined && !scope.include.includes(cluster)) {
    return { by: 'settings', reason: 'it is not among the clusters that the settings include' };
  }
  if (exclusion === undefined) return undefined;
  return {
    by: 'person',
    reason: exclusion.reason === '' ? `excluded at ${exclusion.at}` : exclusion.reason,
  };
}

function lastGeneration(cluster: ClusterId, base: MembershipInput['base']): Pick<Excluded, 'lastGeneration'> {
  if (base === undefined) return {};
  if (base.membership.clusters.includes(cluster)) return { lastGeneration: base.generation };
  const last = base.membership.excluded[cluster]?.lastGeneration;
  return last === undefined ? {} : { lastGeneration: last };
}

/**
 * Whether two memberships have the same scope and exclude the same clusters. Times and reasons of exclusions are not
 * compared: otherwise, two federators that received the same exclusion separately would never agree.
 */
export function sameMembership(a: MembershipRules, b: MembershipRules): boolean {
  return rulesText(a) === rulesText(b);
}

function rulesText({ scope, exclusions }: MembershipRules): string {
  const ids = (list: readonly string[]) => [...new Set(list)].sort(byBytes);
  const out = ids(Object.keys(exclusions));
  return JSON.stringify([
    scope.include && ids(scope.include),
    ids(scope.exclude),
    scope.cutoff ?? null,
    inByteOrder(scope.retention ?? {}),
    out,
  ]);
}

/** Returns the included clusters that the base excludes, each with the newest generation that included it. */
export function returningClusters(
  membership: Membership,
  base: Membership | undefined,
): Map<ClusterId, number> {
  const returning = new Map<ClusterId, number>();
  for (const cluster of membership.clusters) {
    const last = base?.excluded[cluster]?.lastGeneration;
    if (last !== undefined) returning.set(cluster, last);
  }
  return returning;
}
