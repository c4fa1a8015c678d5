import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * Attributes by which people can find federations in the Temporal UI. There are only a few, because Temporal's SQL
 * databases have few columns per attribute type. Each must be registered before a worker starts: a workflow that sets
 * an unregistered attribute gets stuck.
 */
export const searchAttributes = {
  /** Outcome of the run: running, complete, partial, nothing, on-hold, failed or cancelled. */
  outcome: defineSearchAttributeKey('FederationOutcome', SearchAttributeType.KEYWORD),
  /** Number of the generation that the run committed, or of the newest one if nothing had changed. */
  generation: defineSearchAttributeKey('FederationGeneration', SearchAttributeType.INT),
  /** Ids of the included clusters; only the first ones if not all fit. */
  clusters: defineSearchAttributeKey('FederationClusters', SearchAttributeType.KEYWORD_LIST),
  /** Ids of the excluded clusters; only the first ones if not all fit. */
  excluded: defineSearchAttributeKey('FederationExcluded', SearchAttributeType.KEYWORD_LIST),
  /** Ids of the included clusters that have quarantined sources; only the first ones if not all fit. */
  degraded: defineSearchAttributeKey('FederationDegraded', SearchAttributeType.KEYWORD_LIST),
  /** Id of the run that this run replays. */
  replayOf: defineSearchAttributeKey('FederationReplayOf', SearchAttributeType.KEYWORD),
} as const;

/** Maximum size of a search attribute, in bytes: a little less than Temporal's limit of 2 KB. */
const mostBytes = 1_800;

/**
 * Returns as many ids from the start of a list as are certain to fit into a search attribute. Counts each character as
 * three bytes.
 */
export function fitting(ids: readonly string[]): string[] {
  let bytes = 0;
  return ids.filter((id) => (bytes += id.length * 3) <= mostBytes);
}
