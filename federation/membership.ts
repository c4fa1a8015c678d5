import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { byBytes, inByteOrder } from './byte-order';
import type { GenerationIdentity } from './identity';
import { clusterIdSchema, keysOf } from './ids';
import { lastGenerationOf, outSince, type RemovedClusters, removedSchema } from './removal';

/** A person's decision to exclude a cluster. */
export const exclusionSchema = z.object({
  /** The reason that the person gave; may be empty. */
  reason: z.string(),
  /** Time of the exclusion, in RFC 3339 format. */
  at: z.string(),
});
export type Exclusion = z.infer<typeof exclusionSchema>;

/** Settings of the federator that limit which clusters and windows are federated. */
export const scopeSchema = z.object({
  /** Ids of the clusters that may be included. If undefined, all clusters may be included. */
  include: z.array(z.string()).optional(),
  /** Ids of clusters that are never included. */
  exclude: z.array(z.string()),
  /**
   * Earliest start of a window that is federated, in RFC 3339 format. Windows that start before this time stay as they
   * are.
   */
  cutoff: z.string().optional(),
  /** Retention in seconds, by resolution. Windows that ended longer ago than this are removed from Combined Storage. */
  retention: z.record(z.string(), z.number().int().positive()).optional(),
});
export type Scope = z.infer<typeof scopeSchema>;

/** A cluster that has data in the bucket but is excluded, either by the settings or by a person. */
export const excludedSchema = z.object({
  by: z.enum(['settings', 'person']),
  reason: z.string(),
  /**
   * Number of the last generation that included the cluster. That generation contains the cluster's last contributions.
   * Undefined if no generation has included the cluster.
   */
  lastGeneration: z.number().int().positive().optional(),
});
export type Excluded = z.infer<typeof excludedSchema>;

/** What a federator reads from its roster, which is a workflow. */
export interface RosterRules {
  /** The clusters that people have excluded, keyed by cluster id. */
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  /** Id of the roster. */
  readonly roster: string;
  /**
   * The generation from which the roster took its initial exclusions: the one that was the newest when the roster was
   * started. Undefined if there was no generation at that time.
   */
  readonly follows?: FollowedGeneration;
  /** The newest generation that the roster knows. Undefined before the first generation. */
  readonly known?: GenerationIdentity;
}

/** The generation from which a roster took its initial exclusions, and the roster that this generation names. */
export interface FollowedGeneration {
  readonly generation: number;
  readonly roster: string;
}

/** The clusters that a generation includes and excludes, with the reasons. */
export const membershipSchema = z.object({
  /** Id of the cluster whose federator committed the generation. */
  federator: z.string(),
  scope: scopeSchema,
  /** Id of the roster that keeps the exclusions. Rosters with different ids do not know of each other's exclusions. */
  roster: z.string(),
  /** The clusters that people have excluded, keyed by cluster id. The federator reads them from the roster. */
  exclusions: z.record(z.string(), exclusionSchema),
  /** Ids of the included clusters, in byte order. */
  clusters: z.array(clusterIdSchema),
  /** The excluded clusters that have data, keyed by cluster id. */
  excluded: z.record(clusterIdSchema, excludedSchema),
  /**
   * The clusters that people have removed, keyed by cluster id. They are neither in `clusters` nor in `excluded`.
   * Removals are stored only in generations, so each generation copies them from the previous one. Exclusions are
   * stored in the roster.
   */
  removed: z.record(clusterIdSchema, removedSchema),
});
export type Membership = z.infer<typeof membershipSchema>;

/**
 * The settings and exclusions that decide which clusters are included. Federators with equal rules are interchangeable.
 */
export type MembershipRules = Pick<Membership, 'scope' | 'exclusions'>;

export interface MembershipInput extends Pick<Membership, 'federator' | 'scope' | 'roster' | 'exclusions'> {
  /** The clusters that have a folder in the bucket, in any order. */
  readonly discovered: readonly ClusterId[];
  readonly removed: RemovedClusters;
  /** The newest generation; undefined if there is none. */
  readonly base?: { readonly generation: number; readonly membership: Membership };
}

/**
 * Decides which clusters are included. A person can exclude a cluster that the settings allow, but nobody can include a
 * cluster that the settings exclude. A cluster in the newest generation stays included even if its folder is gone,
 * because lost files do not mean that anybody wants to exclude the cluster. A removed cluster is ignored altogether,
 * whatever its folder contains.
 */
export function resolveMembership(input: MembershipInput): Membership {
  const { base, federator, scope, roster, exclusions, removed } = input;
  const clusters: ClusterId[] = [];
  const excluded: Record<ClusterId, Excluded> = {};
  for (const cluster of knownClusters(input)) {
    const out = excludedBy(cluster, scope, ownValue(exclusions, cluster));
    if (out === undefined) clusters.push(cluster);
    else {
      const last = lastGenerationOf(cluster, base);
      excluded[cluster] = { ...out, ...(last !== undefined && { lastGeneration: last }) };
    }
  }
  return {
    federator,
    scope,
    roster,
    exclusions: inByteOrder(exclusions),
    clusters,
    excluded,
    removed: inByteOrder(removed),
  };
}

function knownClusters({ discovered, base, removed }: MembershipInput): ClusterId[] {
  const { clusters = [], excluded = {}, removed: formerly = {} } = base?.membership ?? {};
  const waiting = [...keysOf(excluded), ...keysOf(formerly)].filter(
    (cluster) => outSince(cluster, base?.membership) !== undefined,
  );
  return [...new Set([...discovered, ...clusters, ...waiting])]
    .filter((cluster) => !Object.hasOwn(removed, cluster))
    .sort(byBytes);
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

/**
 * Returns whether two memberships have the same scope and exclude the same clusters. Times and reasons of exclusions
 * are ignored: two federators that received the same exclusion at different times would otherwise never agree.
 */
export function sameMembership(a: MembershipRules, b: MembershipRules): boolean {
  return (
    sameScope(a.scope, b.scope) && idsText(Object.keys(a.exclusions)) === idsText(Object.keys(b.exclusions))
  );
}

/** Returns whether two scopes allow the same clusters and windows. */
export function sameScope(a: Scope, b: Scope): boolean {
  return scopeText(a) === scopeText(b);
}

function scopeText({ include, exclude, cutoff, retention }: Scope): string {
  return JSON.stringify([
    include === undefined ? null : idsText(include),
    idsText(exclude),
    cutoff ?? null,
    inByteOrder(retention ?? {}),
  ]);
}

function idsText(ids: readonly string[]): string {
  return JSON.stringify([...new Set(ids)].sort(byBytes));
}

/**
 * Returns the clusters that `membership` includes again, after they were excluded or removed in the base generation.
 * Each is mapped to the number of the last generation that included it. Clusters that are included for the first time
 * are not returned.
 */
export function returningClusters(
  membership: Membership,
  base: Membership | undefined,
): Map<ClusterId, number> {
  const returning = new Map<ClusterId, number>();
  for (const cluster of membership.clusters) {
    const last = outSince(cluster, base);
    if (last !== undefined) returning.set(cluster, last);
  }
  return returning;
}
