import { z } from 'zod';
import { byBytes, inByteOrder } from './byte-order';

/** A cluster that a person took out, for the time being. */
export const exclusionSchema = z.object({
  /** Why, in the words of who did it; may be empty. */
  reason: z.string(),
  /** When, RFC 3339. */
  at: z.string(),
});
export type Exclusion = z.infer<typeof exclusionSchema>;

/** What the federator's settings say of who may be in. */
export const scopeSchema = z.object({
  /** Only these clusters; absent: all. */
  include: z.array(z.string()).optional(),
  /** Never these. */
  exclude: z.array(z.string()),
  /** Windows that start before it are left alone; RFC 3339. */
  cutoff: z.string().optional(),
  /** In seconds by resolution: windows that ended longer ago leave Combined Storage. */
  retention: z.record(z.string(), z.number().int().positive()).optional(),
});
export type Scope = z.infer<typeof scopeSchema>;

/** A cluster that has data but is excluded: by the settings, or by a person through the roster. */
export const excludedSchema = z.object({
  by: z.enum(['settings', 'person']),
  reason: z.string(),
  /** The newest generation that held it, where there is one: its last contributions are found there. */
  lastGeneration: z.number().int().positive().optional(),
});
export type Excluded = z.infer<typeof excludedSchema>;

/** Who is in a generation, who is not, and by whose word. */
export const membershipSchema = z.object({
  /** The federator that committed it: its cluster id. */
  federator: z.string(),
  scope: scopeSchema,
  /** By cluster id: what the roster says. */
  exclusions: z.record(z.string(), exclusionSchema),
  /** The included clusters, in the order of their ids' bytes. */
  clusters: z.array(z.string()),
  /** By cluster id: those that have data and are excluded. */
  excluded: z.record(z.string(), excludedSchema),
});
export type Membership = z.infer<typeof membershipSchema>;

/** What decides who is in: settings and roster. Two federators that agree on it stand by for one another. */
export type MembershipRules = Pick<Membership, 'scope' | 'exclusions'>;

export interface MembershipInput extends MembershipRules {
  readonly federator: string;
  /** The clusters that have a folder, in any order. */
  readonly discovered: readonly string[];
  /** The newest generation, if there is one. */
  readonly base?: { readonly generation: number; readonly membership: Membership };
}

/**
 * Says who is in and who is not, and why. Settings say who may be in; the roster can only exclude. A cluster that the
 * newest generation holds stays a member though its folder is gone: its files vanished, it was not removed.
 */
export function resolveMembership(input: MembershipInput): Membership {
  const { base, scope, exclusions } = input;
  const clusters: string[] = [];
  const excluded: Record<string, Excluded> = {};
  for (const cluster of knownClusters(input)) {
    const out = excludedBy(cluster, scope, exclusions[cluster]);
    if (out === undefined) clusters.push(cluster);
    else excluded[cluster] = { ...out, ...lastGeneration(cluster, base) };
  }
  return { federator: input.federator, scope, exclusions: inByteOrder(exclusions), clusters, excluded };
}

function knownClusters({ discovered, base }: MembershipInput): string[] {
  const waiting = Object.entries(base?.membership.excluded ?? {})
    .filter(([, out]) => out.lastGeneration !== undefined)
    .map(([cluster]) => cluster);
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

function lastGeneration(cluster: string, base: MembershipInput['base']): Pick<Excluded, 'lastGeneration'> {
  if (base === undefined) return {};
  if (base.membership.clusters.includes(cluster)) return { lastGeneration: base.generation };
  const last = base.membership.excluded[cluster]?.lastGeneration;
  return last === undefined ? {} : { lastGeneration: last };
}

/**
 * Whether settings and roster say the same: the scope, and who is excluded. Since when and why do not count: else two
 * federators, of which each was told of an exclusion by itself, could never agree.
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

/** The clusters that are in now and that the base excludes, each with the newest generation that held it. */
export function returningClusters(membership: Membership, base: Membership | undefined): Map<string, number> {
  const returning = new Map<string, number>();
  for (const cluster of membership.clusters) {
    const last = base?.excluded[cluster]?.lastGeneration;
    if (last !== undefined) returning.set(cluster, last);
  }
  return returning;
}
