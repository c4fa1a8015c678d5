import { listGenerations, readGeneration, readNewestGeneration } from '../activities/read-generations';
import { catalog, isErrorCode } from '../errors/catalog';
import {
  type Generation,
  type QuarantinedSource,
  type QuarantineState,
  quarantineState,
} from '../federation/generation';
import type { BucketReader } from '../storage/bucket';

/** The quarantined sources of the newest generation. `quarantine --json` prints exactly this. */
export interface Quarantine {
  /** Number of the newest generation; undefined if there is none yet. */
  readonly generation?: number;
  readonly sources: readonly ListedSource[];
}

/** A quarantined source, since when it has been quarantined, and what to do about it. */
export interface ListedSource extends QuarantinedSource {
  readonly state: QuarantineState;
  /** Number of the generation since which every one lists the source, as far back as generations are kept. */
  readonly since: number;
  /** What to do about the source; empty if this version does not know the error code. */
  readonly hint: string;
}

/**
 * Reads the newest generation, and then older and older ones for as long as they list one of its quarantined sources.
 */
export async function readQuarantine(bucket: BucketReader): Promise<Quarantine> {
  const newest = await readNewestGeneration(bucket);
  if (newest === undefined) return { sources: [] };
  const since = await listedSince(bucket, newest);
  const sources = newest.quarantined.map((source) => ({
    ...source,
    state: quarantineState(source),
    since: since.get(identity(source)) ?? newest.generation,
    hint: isErrorCode(source.code) ? catalog[source.code].hint : '',
  }));
  return { generation: newest.generation, sources };
}

/**
 * Finds how long each quarantined source of `newest` has been listed without a break: the first generation of the
 * unbroken series that ends with `newest`. The keys of the map identify the sources.
 */
async function listedSince(bucket: BucketReader, newest: Generation): Promise<Map<string, number>> {
  const since = new Map(newest.quarantined.map((source) => [identity(source), newest.generation]));
  let open = new Set(since.keys());
  for (const { generation: number } of (await listGenerations(bucket)).reverse()) {
    if (number >= newest.generation) continue;
    if (open.size === 0) break;
    const earlier = await readGeneration(bucket, number);
    if (earlier === undefined) break;
    open = new Set(earlier.quarantined.map(identity).filter((source) => open.has(source)));
    for (const source of open) since.set(source, number);
  }
  return since;
}

function identity({ cluster, window, code }: QuarantinedSource): string {
  return `${cluster}\n${window}\n${code}`;
}
