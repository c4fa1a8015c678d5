import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * Attributes to find federations by in the Temporal UI. Few, as SQL visibility stores have few slots of each type. A
 * worker registers and checks them before it serves: an unregistered one would wedge a workflow.
 */
export const searchAttributes = {
  /** running | complete | partial | nothing | failed | cancelled */
  outcome: defineSearchAttributeKey('FederationOutcome', SearchAttributeType.KEYWORD),
  /** The generation that the run committed, or found up to date. */
  generation: defineSearchAttributeKey('FederationGeneration', SearchAttributeType.INT),
  /** The included clusters; only the first if there are many. */
  clusters: defineSearchAttributeKey('FederationClusters', SearchAttributeType.KEYWORD_LIST),
  /** The excluded clusters. */
  excluded: defineSearchAttributeKey('FederationExcluded', SearchAttributeType.KEYWORD_LIST),
  /** The included clusters that have a quarantined source. */
  degraded: defineSearchAttributeKey('FederationDegraded', SearchAttributeType.KEYWORD_LIST),
  /** The run that this one replays. */
  replayOf: defineSearchAttributeKey('FederationReplayOf', SearchAttributeType.KEYWORD),
} as const;

/** Temporal limits a search attribute to 2 KB. */
const mostBytes = 1_800;

/** The first ids, as many as fit into a search attribute. */
export function fitting(ids: readonly string[]): string[] {
  let bytes = 0;
  return ids.filter((id) => (bytes += id.length * 3) <= mostBytes);
}
