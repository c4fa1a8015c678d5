import { listGenerations } from '../activities/read-generations';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { ClusterId } from '../etl/cluster-id';
import { type Decided, describeChange } from '../federation/change';
import { describeDamagedGeneration } from '../federation/damaged-generation';
import { examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type Generation, type Hold, openQuarantined, shrunkSources } from '../federation/generation';
import { decidedBy, describeDecision, type FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { findNewest } from './newest-generation';
import { describeDamage } from './runs';

/** A person's decision that a run has committed. `what` describes it in a few words. */
export interface Decision extends Decided {
  readonly what: string;
}

export interface DecidedGeneration extends Generation {
  /**
   * A person's decision that the run committed with this generation. Undefined if the run committed no decision. Also
   * undefined if the run's request no longer exists, unless the decision was a rollback.
   */
  readonly decision?: Decision;
}

/** Generations, newest first. */
export interface ReadGenerations {
  readonly generations: readonly DecidedGeneration[];
  /** Sentences that say what is damaged or missing, and what to do about it. Usually none. */
  readonly damage: readonly string[];
}

/** Reads the newest `limit` generations. */
export async function readNewestGenerations(bucket: BucketReader, limit: number): Promise<ReadGenerations> {
  const newest = await findNewest(bucket);
  const listed = (await listGenerations(bucket)).reverse().slice(0, limit);
  // Read only a few generations at once: a generation with many windows takes up megabytes.
  const read = await mapConcurrently(listed, 4, async ({ generation }) => {
    const { value, damage } = await examineDocument(bucket, documents.generation.at(generation));
    const request = value && (await examineDocument(bucket, documents.runRequest.at(value.run)));
    const decision = value && decisionOf(value, request?.value);
    return {
      generation,
      damage,
      value: value && { ...value, ...(decision && { decision }) },
      requestDamage: request?.damage,
    };
  });
  const older = newest.generation?.generation ?? 0;
  return {
    // Skip a generation that could not be read but is not damaged: the clean-up has deleted it since the listing.
    generations: read.flatMap(({ value }) => value ?? []),
    damage: [
      ...newest.damage,
      ...read.flatMap(({ generation, damage }) =>
        damage !== undefined && generation < older
          ? [
              `${describeDamagedGeneration({ generation, ...damage })} \`federated-etl verify\` says what to do.`,
            ]
          : [],
      ),
      ...read.flatMap(({ requestDamage }) =>
        requestDamage === undefined ? [] : [describeDamage(requestDamage)],
      ),
    ],
  };
}

/**
 * Returns the decision that a generation commits. The run's request says which one. The clean-up deletes the request
 * after some time, but a rollback is in the generation itself, too.
 */
function decisionOf({ hold }: Generation, request: FederationRequest | undefined): Decision | undefined {
  const what = request && describeDecision(request);
  if (request !== undefined && what !== undefined) return { what, ...decidedBy(request) };
  if (hold === undefined) return undefined;
  const { generation: to, by, reason, at } = hold;
  return { what: describeChange({ kind: 'rollback', to }), by, reason, at };
}

/** Returns the total size of a generation's merged windows, in bytes. */
export function generationSize({ windows }: Generation): number {
  return Object.values(windows).reduce((sum, { size }) => sum + size, 0);
}

/** Summary of a generation. `generations --json` prints a list of these objects. */
export interface GenerationSummary {
  readonly generation: number;
  /** Time of the commit, in RFC 3339 format. */
  readonly committedAt: string;
  readonly run: string;
  /** Id of the cluster whose federator made the commit. */
  readonly federator: string;
  /** Number of included clusters. */
  readonly clusters: number;
  readonly windows: number;
  /** Number of quarantined sources of included clusters, except those that a person has dropped. */
  readonly quarantined: number;
  /** Number of sources that lost a large part of their data but were merged, because their windows were still young. */
  readonly shrunk: number;
  /** Number of notices about the folders of included clusters. */
  readonly notices: number;
  /** The hold that a rollback has put on the federation. It is in force as long as this is the newest generation. */
  readonly hold?: Hold;
  /**
   * Number of the generation that was the newest before this commit. Set only if this generation was made from another
   * one.
   */
  readonly replaces?: number;
  /** A person's decision that the run committed with this generation. */
  readonly decision?: Decision;
  /** Number of quarantined sources of included clusters that a person has dropped. */
  readonly dropped: number;
  /** Number of sources of included clusters that are merged because a person has accepted them. */
  readonly accepted: number;
  /** Size of all merged windows of the generation, in bytes. */
  readonly size: number;
}

/** Summarizes a generation. Sources and notices of clusters that it does not include are not counted. */
export function summarizeGeneration(generation: DecidedGeneration): GenerationSummary {
  const {
    generation: number,
    committedAt,
    run,
    membership,
    windows,
    quarantined,
    accepted,
    notices,
    hold,
    replaces,
    decision,
  } = generation;
  const included = new Set(membership.clusters);
  const isIncluded = ({ cluster }: { cluster: ClusterId }) => included.has(cluster);
  return {
    generation: number,
    committedAt,
    run,
    federator: membership.federator,
    clusters: membership.clusters.length,
    windows: Object.keys(windows).length,
    quarantined: openQuarantined(generation).length,
    dropped: quarantined.filter((source) => source.dropped !== undefined && isIncluded(source)).length,
    accepted: accepted.filter(isIncluded).length,
    notices: notices.filter(isIncluded).length,
    shrunk: shrunkSources(generation).length,
    ...(hold && { hold }),
    ...(replaces && { replaces: replaces.generation }),
    ...(decision && { decision }),
    size: generationSize(generation),
  };
}
