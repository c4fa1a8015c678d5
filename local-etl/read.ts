import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FederationError, isFederationError } from '../errors/federation-error';
import { decodeSet } from '../etl/file';
import { isGzipped, unpackedSize, unpacksTo } from '../etl/gzip';
import type { Measure } from '../etl/measure';
import { measureOf, recordClusters, type WrittenBy, writtenBy } from '../etl/set-facts';
import { parseWindowFile, type Pipeline } from '../etl/window';
import type { MemoryBudget } from '../storage/memory-budget';
import { type LocalFile, type Stamp, stamp } from './list';
import { type LocalEtl, localPath, refusalOf, systemCode, whyUnreadable } from './store';

/** Result of reading a window file. */
export type FileContent =
  | {
      readonly kind: 'complete';
      readonly file: LocalFile;
      readonly digest: string;
      /** Cluster names in the file's records; see `Judgement`. */
      readonly clusters?: string[];
    }
  | { readonly kind: 'incomplete'; readonly code?: string; readonly why: string }
  | { readonly kind: 'gone' };

const attempts = 3;
const pauseMs = 50;
/**
 * O_NONBLOCK: otherwise, opening a pipe would wait for a writer. O_NOFOLLOW: a link may point outside of the folder.
 */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads a window file. The cost-model rewrites its files in place, so a file may be half-written. A file counts as
 * complete only if it does not change while it is read and its content decodes completely.
 */
export async function readWindowFile(
  store: LocalEtl,
  path: string,
  mostUnpacked?: number,
): Promise<FileContent> {
  const named = parseWindowFile(path);
  if (named === undefined) return { kind: 'incomplete', why: 'Its name is not that of a window file.' };
  const read = await readSteadily(localPath(store, path));
  if (read.kind === 'gone') return read;
  if (read.kind === 'unreadable') return { kind: 'incomplete', why: read.why };
  const { bytes } = read;
  const judged = judgeContent(named.ref.pipeline, bytes, mostUnpacked);
  if (judged.kind === 'incomplete') return judged;
  return { ...judged, file: { ...named, path, ...read.stamp }, digest: sha256(bytes) };
}

/** Result of checking the bytes of a window file. */
export type Judgement =
  /**
   * The file is complete. `clusters` are the cluster names in its records. `measure` is the number of its records and
   * their resource hours. `written` is what the file says about the agent that wrote it. All three are undefined if the
   * codec version of the file is not supported.
   */
  | {
      readonly kind: 'complete';
      readonly clusters?: string[];
      readonly measure?: Measure;
      readonly written?: WrittenBy;
    }
  | { readonly kind: 'incomplete'; readonly code: string; readonly why: string };

/**
 * Checks whether bytes are a complete file of the given pipeline. A file with an unsupported codec version counts as
 * complete, so that it can be pushed. The federator then reports it.
 */
export function judgeContent(pipeline: Pipeline, bytes: Uint8Array, mostUnpacked?: number): Judgement {
  try {
    const set = decodeSet(pipeline, bytes, mostUnpacked);
    return {
      kind: 'complete',
      clusters: recordClusters(set),
      measure: measureOf(set),
      written: writtenBy(set),
    };
  } catch (error) {
    if (!isFederationError(error)) throw error;
    if (error.code === 'ETL_TOO_NEW' || error.code === 'ETL_TOO_OLD') return { kind: 'complete' };
    return { kind: 'incomplete', code: error.code, why: whyOf(error) };
  }
}

/**
 * Returns how many bytes of memory it takes to read and unpack a window file: its size, and its unpacked size if it is
 * gzipped. Measures a gzipped file by unpacking it piece by piece, within the budget.
 */
export async function memoryToRead(
  store: LocalEtl,
  { path, size }: Pick<LocalFile, 'path' | 'size'>,
  budget: MemoryBudget,
  signal: AbortSignal,
): Promise<number> {
  const file = localPath(store, path);
  if (!(await startsGzipped(file))) return size;
  return budget.within(size, signal, async () => {
    const read = await readSteadily(file);
    if (read.kind !== 'read') return size;
    // A file that will be refused is unpacked until that shows.
    const unpacked = await unpackedSize(read.bytes, budget.mostUnpacked);
    return size + (unpacked === 0 ? unpacksTo(read.bytes, budget.mostUnpacked) : unpacked);
  });
}

/** Returns whether a file starts like a gzipped one. Returns false if it cannot be read: its reader then says why. */
async function startsGzipped(path: string): Promise<boolean> {
  try {
    await using handle = await open(path, readOnly);
    const start = await handle.read({ buffer: Buffer.alloc(2), position: 0 });
    return start.bytesRead === 2 && isGzipped(start.buffer);
  } catch {
    return false;
  }
}

/** Returns the SHA-256 digest in lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Content of a file that did not change while it was read, with the file's stamp. */
export interface SteadyContent {
  readonly bytes: Buffer;
  readonly stamp: Stamp;
}

export type SteadyRead =
  | ({ readonly kind: 'read' } & SteadyContent)
  /** `refused`: the operating system refused to read the file, and would probably refuse again. */
  | { readonly kind: 'unreadable'; readonly why: string; readonly refused?: true }
  | { readonly kind: 'gone' };

/**
 * Reads a file. If the file changes while it is being read, tries again. After three attempts, reports the file as
 * unreadable.
 */
export async function readSteadily(path: string): Promise<SteadyRead> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const read = await readOnce(path);
    if (read !== 'moving') return read;
    await sleep(pauseMs * attempt);
  }
  return { kind: 'unreadable', why: 'It is being written.' };
}

async function readOnce(path: string): Promise<SteadyRead | 'moving'> {
  try {
    await using handle = await open(path, readOnly);
    const before = await handle.stat();
    if (!before.isFile()) return { kind: 'unreadable', why: 'It is not a regular file.' };
    const bytes = await handle.readFile();
    const after = await handle.stat();
    const steady =
      before.mtimeMs === after.mtimeMs && before.size === after.size && bytes.length === after.size;
    return steady ? { kind: 'read', bytes, stamp: stamp(after) } : 'moving';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' };
    if (code === 'ELOOP')
      return { kind: 'unreadable', why: 'It is a link, and links are not followed.', refused: true };
    const why = whyUnreadable(error);
    if (why !== undefined) return { kind: 'unreadable', why, refused: true };
    throw refusalOf(path, error);
  }
}

function whyOf(error: FederationError): string {
  const { byte } = error.subject;
  return byte === undefined ? error.detail : `${error.detail} (byte ${byte})`;
}
