import { listGenerations, readGeneration } from '../activities/read-generations';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Generation } from '../federation/generation';
import type { BucketReader } from '../storage/bucket';

/** The newest generations, the newest first. */
export async function readNewestGenerations(bucket: BucketReader, limit: number): Promise<Generation[]> {
  const newest = (await listGenerations(bucket)).reverse().slice(0, limit);
  // Only a few at once: a generation of many windows is megabytes large.
  const read = await mapConcurrently(newest, 4, ({ generation }) => readGeneration(bucket, generation));
  // Undefined: cleaned up since it was listed.
  return read.filter((generation) => generation !== undefined);
}

/** The size of all merged windows that a generation names, in bytes. */
export function generationSize({ windows }: Generation): number {
  return Object.values(windows).reduce((sum, { size }) => sum + size, 0);
}

/** A line of the commit log; `generations --json` prints a list of exactly these. */
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
  /** The size of all its merged windows, in bytes. */
  readonly size: number;
}

/** Summarizes a generation. */
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
