import { requireGeneration } from '../activities/read-generations';
import type { GenerationDiff } from '../api/contract';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { describeError, isFederationError } from '../errors/federation-error';
import { displayText } from '../etl/byte-string';
import { decodeSet } from '../etl/file';
import { largestWindow } from '../etl/largest-window';
import { recordsOf } from '../etl/model';
import { ownValue } from '../etl/own-value';
import type { PipelineSpec } from '../etl/pipeline';
import { pipelineSpecs } from '../etl/pipelines';
import { parseWindowId, type Pipeline } from '../etl/window';
import { byBytes } from '../federation/byte-order';
import { requireNewest } from '../federation/damaged-generation';
import type { GenerationWindow } from '../federation/generation';
import { objectKey } from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import { readWhole } from '../storage/read-all';
import { mostWindows } from './most-windows';
import { findNewest } from './newest-generation';

/**
 * Smallest change in cost that is reported. Smaller changes are rounding errors, which depend on the order of addition.
 */
const leastDifference = 1e-6;

/**
 * Compares two generations. Returns the clusters that joined or left, and the windows that differ, with each cluster's
 * costs before and after. Compares only the newest differing windows, at most `most`, and counts the rest. A window
 * that cannot be read is listed with the reason.
 *
 * @throws GENERATION_UNREADABLE if one of the generations is damaged or does not exist
 */
export async function diffGenerations(
  bucket: BucketReader,
  from: number,
  to: number,
  most = mostWindows,
): Promise<GenerationDiff> {
  const [before, after] = await Promise.all([requireGeneration(bucket, from), requireGeneration(bucket, to)]);
  const differing = [...new Set([...Object.keys(before.windows), ...Object.keys(after.windows)])]
    .filter((window) => ownValue(before.windows, window)?.digest !== ownValue(after.windows, window)?.digest)
    .sort((a, b) => startOf(b) - startOf(a) || byBytes(a, b));
  const looked = differing.slice(0, most);
  const changes = await mapConcurrently(
    looked,
    2,
    async (window): Promise<GenerationDiff['changes'][number]> => {
      const [old, young] = [ownValue(before.windows, window), ownValue(after.windows, window)];
      const change = old === undefined ? 'added' : young === undefined ? 'removed' : 'changed';
      try {
        const [was, is] = [await costs(bucket, window, old), await costs(bucket, window, young)];
        const clusters = [...new Set([...was.keys(), ...is.keys()])].sort(byBytes).map((cluster) => ({
          cluster,
          before: was.get(cluster) ?? null,
          after: is.get(cluster) ?? null,
        }));
        return { window, change, clusters: clusters.filter(differs) };
      } catch (error) {
        if (!isFederationError(error)) throw error;
        return {
          window,
          change,
          clusters: [],
          unreadable: describeError(error).split('\n')[0] ?? error.code,
        };
      }
    },
  );
  const [old, young] = [before.membership.clusters, after.membership.clusters];
  return {
    from,
    to,
    joined: young.filter((cluster) => !old.includes(cluster)),
    left: old.filter((cluster) => !young.includes(cluster)),
    totals: sumChanges(changes),
    changes,
    omitted: differing.length - looked.length,
  };
}

type CostChange = GenerationDiff['totals'][number];

function differs({ before, after }: GenerationDiff['changes'][number]['clusters'][number]): boolean {
  return before === null || after === null || Math.abs(after - before) > leastDifference;
}

function startOf(window: string): number {
  return parseWindowId(window)?.window.start ?? 0;
}

/** Returns the total costs in a window by cluster, in the currency of the clusters. */
async function costs(
  bucket: BucketReader,
  window: string,
  object: GenerationWindow | undefined,
): Promise<Map<string, number>> {
  const totals = new Map<string, number>();
  const ref = parseWindowId(window);
  if (object === undefined || ref === undefined) return totals;
  const { fingerprint, digest } = object;
  const { bytes } = await readWhole(bucket, objectKey(fingerprint), { digest, maxBytes: largestWindow });
  const { clusterOf, costOf }: PipelineSpec<Pipeline> = pipelineSpecs[ref.pipeline];
  for (const record of recordsOf(decodeSet(ref.pipeline, bytes))?.values() ?? []) {
    if (record === null) continue;
    const cluster = displayText(clusterOf(record));
    totals.set(cluster, (totals.get(cluster) ?? 0) + costOf(record));
  }
  return totals;
}

/** A comparison of two generations. `diff --json` prints exactly this. */
export interface Comparison extends GenerationDiff {
  /** Sentences that say which newer generations are damaged or missing. Usually none. */
  readonly damaged: readonly string[];
}

/**
 * Compares the generation `from` with the generation `to`. (Default of `to`: the newest generation that can be read)
 *
 * @throws GENERATION_UNREADABLE if one of the generations is damaged or does not exist
 */
export async function compareGenerations(
  bucket: BucketReader,
  from: number,
  to: number | undefined,
  most: number,
): Promise<Comparison> {
  const newest = to === undefined ? await findNewest(bucket) : undefined;
  const readable = newest && (newest.generation ?? requireNewest(newest));
  const diff = await diffGenerations(bucket, from, to ?? readable?.generation ?? 0, most);
  return { ...diff, damaged: newest?.damage ?? [] };
}

/** Adds up the changes of the compared windows. */
function sumChanges(changes: GenerationDiff['changes']): GenerationDiff['totals'] {
  const sums = new Map<string, { -readonly [Key in keyof CostChange]: CostChange[Key] }>();
  for (const { window, clusters } of changes) {
    const ref = parseWindowId(window);
    if (ref === undefined) continue;
    const { pipeline, resolution } = ref;
    for (const { cluster, before, after } of clusters) {
      for (const whose of [undefined, cluster]) {
        const key = JSON.stringify([pipeline, resolution, whose ?? '']);
        const sum = sums.get(key) ?? {
          pipeline,
          resolution,
          before: 0,
          after: 0,
          ...(whose !== undefined && { cluster: whose }),
        };
        sum.before += before ?? 0;
        sum.after += after ?? 0;
        sums.set(key, sum);
      }
    }
  }
  return [...sums].sort(([a], [b]) => byBytes(a, b)).map(([, sum]) => sum);
}
