import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * Attributes by which to find federations in the Temporal UI. There are only a few, as SQL visibility stores have few
 * slots of each type. A worker registers and checks them before it serves: a workflow that sets an unregistered
 * attribute would get stuck.
 */
export const searchAttributes = {
  /** One of running, complete, partial, nothing, failed, cancelled. */
  outcome: defineSearchAttributeKey('FederationOutcome', SearchAttributeType.KEYWORD),
  /** Generation that the run committed, or found to be up to date. */
  generation: defineSearchAttributeKey('FederationGeneration', SearchAttributeType.INT),
  /** The included clusters; only the first ones if not all fit. */
  clusters: defineSearchAttributeKey('FederationClusters', SearchAttributeType.KEYWORD_LIST),
  /** The excluded clusters. */
  excluded: defineSearchAttributeKey('FederationExcluded', SearchAttributeType.KEYWORD_LIST),
  /** The included clusters that have a quarantined source. */
  degraded: defineSearchAttributeKey('FederationDegraded', SearchAttributeType.KEYWORD_LIST),
  /** The run that this one replays. */
  replayOf: defineSearchAttributeKey('FederationReplayOf', SearchAttributeType.KEYWORD),
} as const;

/** Somewhat below 2 KB, Temporal's limit for a search attribute. */
const mostBytes = 1_800;

/** Returns the first ids, as many as fit into a search attribute. */
export function fitting(ids: readonly string[]): string[] {
  let bytes = 0;
  return ids.filter((id) => (bytes += id.length * 3) <= mostBytes);
}
