import { isAbsolute, relative } from 'node:path';
import { FederationError } from '../errors/federation-error';

/** The folder in which the database keeps its files, and the limit for its memory. */
export interface DatabaseRoom {
  /** A folder that contains only the database and its temporary files. */
  readonly folder: string;
  /** Memory limit of the database, such as `512MB`. Data that exceeds the limit is spilled to the folder. */
  readonly memoryLimit: string;
}

/**
 * Returns a QUERY_NO_ROOM error if a database error means that memory or disk space ran out. Otherwise returns
 * undefined.
 */
export function noRoomOf(cause: unknown, { folder, memoryLimit }: DatabaseRoom): FederationError | undefined {
  const text = String(cause);
  if (isDiskFull(text)) {
    const [, file] = /"([^"]+)": /.exec(text) ?? [];
    return file === undefined || isBelow(folder, file) ? diskFull(cause) : elsewhereFull(cause, file);
  }
  // When a DuckDB appender runs out of memory, its error does not say so, but suggests `SET memory_limit`.
  if (!/Out of Memory Error|SET memory_limit/.test(text)) return undefined;
  return new FederationError('QUERY_NO_ROOM', {
    subject: { setting: 'query.memory' },
    detail: `The database needs more memory than query.memory gives it, ${memoryLimit}.`,
    hint: 'Ask for a shorter window or fewer groups, or raise query.memory.',
    retryAfterMs,
    cause,
  });
}

/**
 * Time in milliseconds after which clients may retry (`Retry-After`). Memory may be free again soon, once other queries
 * have ended. Freeing disk space takes longer.
 */
const retryAfterMs = 30_000;

/**
 * Returns whether an error means that the disk is full. This includes DuckDB's own limit for spilled data,
 * `max_temp_directory_size`, which is nine tenths of the free disk space.
 */
function isDiskFull(text: string): boolean {
  return /No space left on device|Disk quota exceeded|File too large|max_temp_directory_size/i.test(text);
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return !path.startsWith('..') && !isAbsolute(path);
}

function diskFull(cause: unknown): FederationError {
  return new FederationError('QUERY_NO_ROOM', {
    subject: { setting: 'query.path' },
    detail: 'The volume of query.path is full.',
    hint: 'Free space on it, enlarge it, or raise query.memory so that less is written there. No restart is needed.',
    retryAfterMs,
    cause,
  });
}

/** Returns the error for a full disk to which an export is written. For the disk of the database, see `diskFull`. */
function elsewhereFull(cause: unknown, file: string): FederationError {
  return new FederationError('QUERY_NO_ROOM', {
    subject: { key: file },
    detail: 'The volume that an export is written to is full.',
    hint: 'Free space on it, or set TMPDIR to another folder for temporary files.',
    retryAfterMs,
    cause,
  });
}
