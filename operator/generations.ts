import { listGenerations, readGeneration } from '../activities/read-generations';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Generation } from '../federation/generation';
import type { BucketReader } from '../storage/bucket';

/** Reads the newest generations. Returns the newest first. */
export async function readNewestGenerations(bucket: BucketReader, limit: number): Promise<Generation[]> {
  const newest = (await listGenerations(bucket)).reverse().slice(0, limit);
  // Read only a few at once: a generation with many windows is megabytes large.
  const read = await mapConcurrently(newest, 4, ({ generation }) => readGeneration(bucket, generation));
  // A generation is undefined if it was cleaned up after the listing.
  return read.filter((generation) => generation !== undefined);
}

/** Returns the size of all merged windows that a generation names, in bytes. */
export function generationSize({ windows }: Generation): number {
  return Object.values(windows).reduce((sum, { size }) => sum + size, 0);
}

/** Summary of a generation, as a line of the commit log. `generations --json` prints a list of exactly these. */
export interface GenerationSummary {
  readonly generation: number;
  /** RFC 3339. */
  readonly committedAt: string;
  readonly run: string;
  /** The cluster that hosted the federator. */
  readonly federator: string;
  /** The number of included clusters. */
  readonly clusters: number;
  readonly windows: number;
  /** The number of quarantined sources. */
  readonly quarantined: number;
  /** Size of all merged windows of the generation, in bytes. */
  readonly size: number;
}

export function summarizeGeneration(generation: Generation): GenerationSummary {
  const { generation: number, committedAt, run, membership, windows, quarantined } = generation;
  return {
    generation: number,
    committedAt,
    run,
    federator: membership.federator,
    clusters: membership.clusters.length,
    windows: Object.keys(windows).length,
    quarantined: quarantined.length,
    size: generationSize(generation),
  };
}
