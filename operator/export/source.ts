import { resolve } from 'node:path';
import { wantedWindows } from '../../activities/ingest-combined';
import type { ReadThreads } from '../../activities/threads/read-threads';
import { FederationError } from '../../errors/federation-error';
import { ownValue } from '../../etl/own-value';
import { windowId } from '../../etl/window';
import { requireNewest } from '../../federation/damaged-generation';
import type { LocalFile } from '../../local-etl/list';
import { sha256 } from '../../local-etl/read';
import { localEtl, requireLocalEtl } from '../../local-etl/store';
import type { WantedFile } from '../../query/ingest';
import type { BucketReader } from '../../storage/bucket';
import { listLocalFiles, newestOfEachWindow, readLocalFile } from '../local-windows';
import { findNewest } from '../newest-generation';

/** A window that can be exported. */
export interface SourceWindow extends WantedFile {
  /** Size of the window's ETL file, in bytes. */
  readonly size: number;
}

/** Windows that can be exported, with the generation that they come from. */
export interface ExportSource {
  /** Number of the generation that the windows belong to; undefined for a local ETL store. */
  readonly generation?: number;
  /** Sentences that say which newer generations are damaged or missing, and what to do about it. */
  readonly damaged: readonly string[];
  readonly windows: readonly SourceWindow[];
}

/**
 * Returns the windows of the newest generation in the bucket that can be read.
 *
 * @throws QUERY_NO_DATA if there is no generation yet; GENERATION_UNREADABLE if none can be read
 */
export async function newestGeneration(
  bucket: BucketReader,
  threads: ReadThreads,
  signal: AbortSignal,
): Promise<ExportSource> {
  const found = await findNewest(bucket, { signal });
  const newest = found.generation ?? requireNewest(found);
  if (newest === undefined) {
    throw new FederationError('QUERY_NO_DATA', {
      detail: `Nothing has been combined in ${bucket.label} yet.`,
      hint: 'Wait for the first federation, or start one: `federated-etl federate --wait`. To export a local ETL store, use --etl.',
    });
  }
  const { generation, windows } = newest;
  return {
    generation,
    damaged: found.damage,
    windows: wantedWindows({ combined: bucket, threads }, newest, signal).map((window) => ({
      ...window,
      size: ownValue(windows, windowId(window))?.size ?? 0,
    })),
  };
}

/**
 * Returns the windows of a local ETL store. Reads every file once to compute its digest.
 *
 * @throws LOCAL_ETL_MISSING if the folder does not exist; QUERY_NO_DATA if it contains no window file
 */
export async function localStore(
  folder: string,
  threads: ReadThreads,
  signal: AbortSignal,
): Promise<ExportSource> {
  const store = localEtl(resolve(folder));
  await requireLocalEtl(store);
  const files = newestOfEachWindow(await listLocalFiles(store, { signal }));
  if (files.length === 0) {
    throw new FederationError('QUERY_NO_DATA', {
      subject: { key: store.bingen },
      detail: 'There are no window files.',
      hint: 'Give --etl the folder that contains bingen/<pipeline>/<resolution>/<start>-<end>.',
    });
  }
  const windows: SourceWindow[] = [];
  for (const file of files) {
    const listed = await readLocalFile(store, file);
    // An unreadable file gets an empty digest. The export then reads the file again, and that read reports the reason.
    const digest = listed === undefined ? '' : sha256(listed);
    const read = async (allIdentities?: boolean) => {
      const bytes = await readLocalFile(store, file);
      if (bytes === undefined || sha256(bytes) !== digest) throw changed(file);
      return threads.read(file.ref, bytes, signal, allIdentities);
    };
    windows.push({ ...file.ref, digest, size: file.size, read });
  }
  return { windows, damaged: [] };
}

function changed({ path }: LocalFile): FederationError {
  return new FederationError('STORAGE_CONFLICT', {
    subject: { key: path },
    detail: 'The file is being written, was removed, or may not be read.',
  });
}
