import type { Log } from '../config/log';
import { FederationError, isFederationError } from '../errors/federation-error';
import { largestWindow } from '../etl/largest-window';
import type { Generation, GenerationWindow } from '../federation/generation';
import { entryWindow, wrongDigest } from '../federation/generation-entry';
import { objectKey } from '../federation/layout';
import { linkOnPath } from '../local-etl/passed-over';
import { readSteadily, sha256 } from '../local-etl/read';
import { type LocalEtl, localPath } from '../local-etl/store';
import type { QueryEngine } from '../query/engine';
import type { IngestSummary, WantedFile } from '../query/ingest';
import type { BucketReader } from '../storage/bucket';
import { readWhole } from '../storage/read-all';
import { readGeneration } from './read-generations';
import type { ReadThreads } from './threads/read-threads';

export interface IngestDependencies {
  readonly combined: BucketReader;
  /** The local ETL that contains the pulled files. */
  readonly store: LocalEtl;
  readonly engine: QueryEngine;
  readonly threads: ReadThreads;
  readonly log: Log;
  readonly now: () => Date;
  readonly heartbeat: (details: unknown) => void;
  readonly signal: () => AbortSignal;
}

/** Minimum time between two progress messages in the log, in milliseconds. */
const logEveryMs = 10_000;

/**
 * Creates the activity that loads a pulled generation into the query tables and serves it. Reads only windows that have
 * changed. If any window cannot be read, the previous generation stays in service. Idempotent.
 */
export function createIngestCombined(
  deps: IngestDependencies,
): (input: { readonly generation: number }) => Promise<IngestSummary> {
  return async ({ generation: number }) => {
    const { combined, engine, log, heartbeat } = deps;
    const signal = deps.signal();
    if (engine.state().generation === number) return { files: 0, ingested: 0, rows: 0 };
    const generation = await readGeneration(combined, number, { signal });
    if (generation === undefined) {
      throw new FederationError('GENERATION_UNREADABLE', {
        detail: `Generation ${number} was cleaned up before it was ingested.`,
        retryable: false,
      });
    }
    const wanted = wantedWindows(deps, generation, signal);
    const started = deps.now().getTime();
    let logged = started;
    const progress = (done: number, of: number) => {
      heartbeat({ ingested: done, of });
      const now = deps.now().getTime();
      if (now - logged < logEveryMs) return;
      logged = now;
      log.info(
        { event: 'ingest.progress', generation: number, done, of },
        `ingested ${done} of ${of} windows of generation ${number}`,
      );
    };
    // Send heartbeats on a timer: ingesting one large window can take longer than the heartbeat timeout.
    const beat = setInterval(() => heartbeat({ generation: number }), 5_000);
    try {
      const serving = {
        generation: number,
        committedAt: generation.committedAt,
        ingestedAt: deps.now().toISOString(),
        excluded: Object.entries(generation.membership.excluded).map(([cluster, { reason }]) => ({
          cluster,
          reason,
        })),
      };
      const summary = await engine.serve(wanted, serving, { signal, progress });
      const seconds = Math.round((deps.now().getTime() - started) / 100) / 10;
      log.info(
        { event: 'ingest.done', generation: number, ...summary, seconds },
        `serves generation ${number}: ${summary.ingested} of ${summary.files} windows ingested, ${summary.rows} rows in ${seconds} s`,
      );
      return summary;
    } catch (error) {
      if (isFederationError(error)) {
        const { code, message, subject } = error;
        log.error(
          { event: 'ingest.refused', generation: number, code, ...subject },
          `generation ${number} is not served: ${message}`,
        );
      }
      throw error;
    } finally {
      clearInterval(beat);
    }
  };
}

type Sources = Pick<IngestDependencies, 'combined' | 'threads'> & { readonly store?: LocalEtl };

/**
 * Lists the windows of a generation for the query engine. Each window is read from the volume if the file there has the
 * expected digest, otherwise from the bucket.
 */
export function wantedWindows(sources: Sources, { windows }: Generation, signal: AbortSignal): WantedFile[] {
  return Object.entries(windows).map(([id, window]) => wantedWindow(sources, id, window, signal));
}

function wantedWindow(
  { store, combined, threads }: Sources,
  id: string,
  { digest, fingerprint }: GenerationWindow,
  signal: AbortSignal,
): WantedFile {
  const ref = entryWindow(id);
  const bytes = async (): Promise<Uint8Array> => {
    const local = store === undefined ? undefined : await readLocal(store, id);
    if (local !== undefined && sha256(local) === digest) return local;
    // The file on the volume is missing or cannot be read, or the cluster has replaced it with its own file. So read
    // the window from the bucket. The next pull restores the file on the volume.
    const key = objectKey(fingerprint);
    const reading = { digest, maxBytes: largestWindow, signal };
    const { bytes } = await readWhole(combined, key, reading).catch((error: unknown) => {
      throw isFederationError(error, 'STORAGE_CORRUPT') ? wrongDigest(key) : error;
    });
    return bytes;
  };
  return {
    ...ref,
    digest,
    read: async (allIdentities) => threads.read(ref, await bytes(), signal, allIdentities),
  };
}

async function readLocal(store: LocalEtl, id: string): Promise<Uint8Array | undefined> {
  if ((await linkOnPath(store, id)) !== undefined) return undefined;
  const read = await readSteadily(localPath(store, id));
  return read.kind === 'read' ? read.bytes : undefined;
}
