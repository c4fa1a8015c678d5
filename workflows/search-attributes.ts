import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * What federations can be listed by in the Temporal UI. Few, as SQL visibility stores have few slots of each type.
 * They are registered, and checked, before a worker serves: an unregistered one would wedge a workflow.
 */
export const searchAttributes = {
  /** running | complete | partial | nothing | failed | cancelled */
  outcome: defineSearchAttributeKey('FederationOutcome', SearchAttributeType.KEYWORD),
  /** The generation that the run committed, or found to be right already. */
  generation: defineSearchAttributeKey('FederationGeneration', SearchAttributeType.INT),
  /** The clusters that are in; the first of them where they are many. */
  clusters: defineSearchAttributeKey('FederationClusters', SearchAttributeType.KEYWORD_LIST),
  /** The excluded clusters. */
  excluded: defineSearchAttributeKey('FederationExcluded', SearchAttributeType.KEYWORD_LIST),
  /** The included clusters that have a quarantined source. */
  degraded: defineSearchAttributeKey('FederationDegraded', SearchAttributeType.KEYWORD_LIST),
  /** The run that this one replays. */
  replayOf: defineSearchAttributeKey('FederationReplayOf', SearchAttributeType.KEYWORD),
} as const;

/** A search attribute may have 2 KB in all. */
const mostBytes = 1_800;

/** As many ids, from the first on, as a search attribute holds. */
export function fitting(ids: readonly string[]): string[] {
  let bytes = 0;
  return ids.filter((id) => (bytes += id.length * 3) <= mostBytes);
}
