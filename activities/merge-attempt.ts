import { FederationError, isFederationError } from '../errors/federation-error';
import { isGzipped, unpackedSize } from '../etl/gzip';
import type { WindowId, WindowRef } from '../etl/window';
import { contributes, keptVersion } from '../federation/decision';
import type { QuarantinedSource } from '../federation/generation';
import { keptKey, objectKey } from '../federation/layout';
import type { PlannedWindow } from '../federation/plan-document';
import type { Provenance } from '../federation/provenance';
import { findReuse, type Reuse } from '../federation/reuse';
import type { MemoryBudget } from '../storage/memory-budget';
import { extractContributions, type ExtractedFile } from './extract-contributions';
import type { FederationDependencies } from './federation-dependencies';
import { touchFinished, writeObject } from './finished-object';
import { prefix } from './log-plan';
import {
  GzippedSource,
  MergeReads,
  type MergeReadsInput,
  PreviousDamaged,
  readVersion,
  SourceMoved,
  type UnpackedSize,
} from './merge-reads';
import type { BadFinding } from './quarantine';
import { isHeldBack, type NamesContext, takenFinding } from './taken-names';
import type { BadSource, MergeAnswer, MergeTask } from './threads/merge-thread';
import type { WindowSource } from './window-sources';

/** What an attempt to merge a window needs. */
export interface AttemptContext
  extends NamesContext, Pick<FederationDependencies, 'bucket' | 'log' | 'threads'> {
  readonly planned: PlannedWindow;
  readonly ref: WindowRef;
  /**
   * If true, the window is merged even if it has been merged already, and nothing is taken from its previous object.
   */
  readonly force: boolean;
  readonly memory: MemoryBudget;
  /** Maximum number of source bytes that the merge keeps in memory. The other bytes are read twice. */
  readonly mostHeld: number;
  /** Maximum unpacked size of a gzipped source, in bytes. A larger one is quarantined. */
  readonly mostUnpacked: number;
  readonly signal: AbortSignal;
  /** Called at the start of each step of the merge. `doing` describes the step. */
  readonly onStep: (doing: string) => void;
}

/** The result of one attempt to merge: the merged window, or the sources that are bad or have changed. */
export interface Tried {
  readonly bad: BadFinding[];
  readonly moved: readonly WindowSource[];
  readonly merged?: Provenance;
}

/**
 * Makes one attempt to merge: reads the sources, and writes the merged object and then its provenance. If any sources
 * are bad or have changed, writes no provenance and returns these sources.
 *
 * Reserves memory before it reads the sources. If some turn out to be gzipped, releases that memory, measures them, and
 * starts again with what they need unpacked. So a merge never waits for memory while it holds some.
 */
export async function attemptMerge(
  context: AttemptContext,
  name: string,
  sources: readonly WindowSource[],
): Promise<Tried> {
  const { memory, signal } = context;
  const sizes: Sizes = new Map();
  for (;;) {
    try {
      const needed = memoryFor(context, sizes, sources);
      return await memory.within(needed, signal, () => attemptWithReuse(context, sizes, name, sources));
    } catch (error) {
      if (!(error instanceof GzippedSource)) throw error;
      const moved = await measure(context, sizes, error.unmeasured);
      if (moved.length > 0) return { bad: [], moved };
    }
  }
}

type Sizes = Map<string, UnpackedSize>;

/**
 * Adds the unpacked sizes of sources to `sizes`. Reads one source at a time, unpacks it piece by piece, and keeps
 * nothing of it. Returns the sources that have changed.
 */
async function measure(
  { bucket, planned, memory, mostUnpacked, signal, onStep }: AttemptContext,
  sizes: Sizes,
  sources: readonly WindowSource[],
): Promise<WindowSource[]> {
  onStep('measuring gzipped sources');
  const moved: WindowSource[] = [];
  for (const source of sources) {
    const size = () => measureOne({ bucket, window: planned.window, signal }, source, mostUnpacked);
    try {
      sizes.set(source.cluster, await memory.within(source.size, signal, size));
    } catch (error) {
      if (!(error instanceof SourceMoved)) throw error;
      moved.push(source);
    }
  }
  return moved;
}

async function measureOne(
  from: Pick<MergeReadsInput, 'bucket' | 'window' | 'signal'>,
  source: WindowSource,
  mostUnpacked: number,
): Promise<UnpackedSize> {
  try {
    const bytes = await readVersion(from, source);
    return isGzipped(bytes) ? await unpackedSize(bytes, mostUnpacked) : 'plain';
  } catch (error) {
    if (isFederationError(error, 'STORAGE_CORRUPT')) return error;
    throw error;
  }
}

/**
 * Returns how many bytes of source files a merge holds at most: those that it keeps, the source that is being merged,
 * and the next one, which may be read meanwhile.
 */
function memoryFor({ mostHeld }: AttemptContext, sizes: Sizes, sources: readonly WindowSource[]): number {
  const all = sources.map((source) => unpackedBytes(sizes, source));
  return Math.min(sum(all), mostHeld + 2 * Math.max(...all));
}

function unpackedBytes(sizes: Sizes, { cluster, size }: WindowSource): number {
  const measured = sizes.get(cluster);
  return typeof measured === 'number' ? measured : size;
}

/**
 * Takes unchanged contributions from the window's previous object. If that object turns out to be damaged, reads all
 * sources instead.
 */
async function attemptWithReuse(
  context: AttemptContext,
  sizes: Sizes,
  name: string,
  sources: readonly WindowSource[],
): Promise<Tried> {
  const { ref, planned, previous, force, log } = context;
  const reuse = force ? undefined : findReuse(previous.base, ref, sources);
  try {
    return await attemptWith(context, sizes, reuse, name, sources);
  } catch (error) {
    if (!(error instanceof PreviousDamaged)) throw error;
    log.warn(
      { event: 'window.previous-damaged', key: objectKey(reuse?.previous.fingerprint ?? '') },
      `${prefix(planned.window)} merges ${planned.window} from all of its sources, as its previous object is damaged: ${error.message}`,
    );
    return attemptWith(context, sizes, undefined, name, sources);
  }
}

async function attemptWith(
  context: AttemptContext,
  sizes: Sizes,
  reuse: Reuse | undefined,
  name: string,
  sources: readonly WindowSource[],
): Promise<Tried> {
  const { bucket, ref, planned, threads, mostHeld, mostUnpacked, signal, onStep } = context;
  const contributing = sources.filter((source) => contributes(source));
  const files = planned.fromBase ? await extract(context, contributing, reuse) : undefined;
  const held = new Set(
    contributing.filter((source) => isHeldBack(context, source)).map(({ cluster }) => cluster),
  );
  const reads = new MergeReads({
    bucket,
    window: planned.window,
    sources: contributing,
    reuse,
    files,
    unpacking: { most: mostUnpacked, sizes },
    signal,
  });
  reads.requireMeasured();
  const task: MergeTask = {
    pipeline: ref.pipeline,
    window: ref.window,
    sources: contributing.map(({ cluster }) => ({
      cluster,
      from: reuse?.contributions.get(cluster),
      examine: held.has(cluster),
    })),
    previous: reuse?.previous.digest,
    bytes: sum(sources.map((source) => unpackedBytes(sizes, source))),
    mostHeld,
  };
  onStep('merging');
  try {
    const answer = await threads.merge(
      task,
      {
        read: (question) => reads.read(question),
        write: async (begun, chunks) => {
          onStep('writing');
          reads.begin(begun);
          await writeObject(bucket, name, begun.size, chunks, { signal });
        },
      },
      signal,
    );
    if (answer.kind === 'previous-damaged') throw new PreviousDamaged(answer.detail);
    if (answer.kind === 'refused') return refused(context, contributing, answer);
    const merged = provenanceOf(planned.window, name, sources, answer);
    await touchFinished(bucket, merged, { signal });
    return { bad: [], moved: [], merged };
  } catch (error) {
    if (error instanceof SourceMoved) return { bad: [], moved: [error.source] };
    throw error;
  } finally {
    await reads.close();
  }
}

/**
 * Restores the clusters' files from the window's merged object in the last generation. Skips clusters whose
 * contribution is in `reuse`, because the merge reads these contributions from that object itself.
 */
async function extract(
  { bucket, threads, ref, planned, previous, signal }: AttemptContext,
  sources: readonly WindowSource[],
  reuse: Reuse | undefined,
): Promise<Map<string, ExtractedFile>> {
  if (previous.base === undefined) {
    throw new FederationError('GENERATION_UNREADABLE', {
      subject: { window: planned.window },
      detail: 'The window has no merged object to take the contributions from.',
    });
  }
  const clusters = sources
    .map(({ cluster }) => cluster)
    .filter((cluster) => reuse?.contributions.has(cluster) !== true);
  if (clusters.length === 0) return new Map();
  const context = { bucket, threads, pipeline: ref.pipeline, signal };
  return extractContributions(context, previous.base, clusters);
}

/**
 * Builds the result of a merge that failed because of its sources. If some sources have changed, returns only those.
 * They are looked up and merged again before any bad source is quarantined.
 */
function refused(
  context: AttemptContext,
  read: readonly WindowSource[],
  { bad, moved }: Extract<MergeAnswer, { kind: 'refused' }>,
): Tried {
  const gone = read.filter(({ cluster }) => moved.includes(cluster));
  return gone.length > 0
    ? { bad: [], moved: gone }
    : { bad: bad.map((one) => finding(context, read, one)), moved: [] };
}

function provenanceOf(
  window: WindowId,
  fingerprint: string,
  sources: readonly WindowSource[],
  { digest, size, contributions }: Extract<MergeAnswer, { kind: 'merged' }>,
): Provenance {
  const byCluster = new Map(contributions.map((contribution) => [contribution.id, contribution]));
  return {
    format: 1,
    fingerprint,
    window,
    digest,
    size,
    sources: sources.map(({ cluster, seen, decision }) => ({
      cluster,
      seen,
      decision,
      contribution: byCluster.get(cluster),
    })),
    quarantined: sources.flatMap((source) => source.quarantined ?? []).map(withoutDecision),
  };
}

function finding(context: AttemptContext, read: readonly WindowSource[], bad: BadSource): BadFinding {
  const source = read.find((one) => one.cluster === bad.cluster);
  if (source === undefined) throw new TypeError(`${bad.cluster} was not read.`);
  if (keptVersion(source.decision) !== undefined) {
    throw new FederationError('GENERATION_UNREADABLE', {
      subject: {
        cluster: bad.cluster,
        key: keptKey(source.cluster, context.planned.window),
      },
      detail: `The last good contribution cannot be read: ${bad.code}: ${bad.detail}`,
    });
  }
  return bad.names === undefined
    ? { source, code: bad.code, detail: bad.detail }
    : takenFinding(context, source, bad.names);
}

/**
 * Removes the record of a person's decision to drop the source. Objects with the same sources must have the same
 * provenance, no matter which of the sources a person has dropped.
 */
function withoutDecision({ dropped: _dropped, ...source }: QuarantinedSource): QuarantinedSource {
  return source;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
