import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/**
 * Attributes by which people can find federations in the Temporal UI. There are only a few: Temporal's SQL databases
 * have columns for ten Keywords and three KeywordLists, and other applications may use the namespace too. Each must be
 * registered before a worker starts: a workflow that sets an unregistered attribute gets stuck.
 */
export const searchAttributes = {
  /** Outcome of the run: running, complete, partial, nothing, on-hold, failed or cancelled. */
  outcome: defineSearchAttributeKey('FederationOutcome', SearchAttributeType.KEYWORD),
  /** Number of the generation that the run committed, or of the newest one if nothing had changed. */
  generation: defineSearchAttributeKey('FederationGeneration', SearchAttributeType.INT),
  /** The clusters of the run, and what the run did with each. See `clusterWords`. */
  clusters: defineSearchAttributeKey('FederationClusters', SearchAttributeType.KEYWORD_LIST),
  /** Id of the run that this run replays. */
  replayOf: defineSearchAttributeKey('FederationReplayOf', SearchAttributeType.KEYWORD),
} as const;

/**
 * Returns the clusters of a run as one list: `degraded:cluster-2` has quarantined sources, `excluded:cluster-3` is
 * excluded, and `cluster-1` is included. If the list is too long, it is cut off. The included clusters come last, so
 * they are dropped first.
 */
export function clusterWords({
  degraded = [],
  excluded,
  included,
}: {
  readonly degraded?: readonly string[];
  readonly excluded: readonly string[];
  readonly included: readonly string[];
}): string[] {
  return fitting([
    ...degraded.map((id) => `degraded:${id}`),
    ...excluded.map((id) => `excluded:${id}`),
    ...included,
  ]);
}

/** Maximum size of a search attribute, in bytes: a little less than Temporal's limit of 2 KB. */
const mostBytes = 1_800;

/**
 * Returns as many words from the start of a list as are certain to fit into a search attribute. Counts each character
 * as three bytes.
 */
function fitting(words: readonly string[]): string[] {
  let bytes = 0;
  return words.filter((word) => (bytes += word.length * 3) <= mostBytes);
}
