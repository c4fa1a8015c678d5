import { isAbsolute, relative } from 'node:path';
import { FederationError } from '../errors/federation-error';

/** Where the database keeps its data, and how much memory it may use. */
export interface DatabaseRoom {
  /** A folder that is used for nothing else. */
  readonly folder: string;
  /** Memory limit, such as `512MB`. Data beyond it spills to the folder. */
  readonly memoryLimit: string;
}

/** Returns QUERY_NO_ROOM if a database error means that memory or disk space ran out, undefined for other errors. */
export function noRoomOf(cause: unknown, { folder, memoryLimit }: DatabaseRoom): FederationError | undefined {
  const text = String(cause);
  if (isDiskFull(text)) {
    const [, file] = /"([^"]+)": /.exec(text) ?? [];
    return file === undefined || isBelow(folder, file) ? diskFull(cause) : elsewhereFull(cause, file);
  }
  // Errors of the appender do not contain "Out of Memory Error", but always DuckDB's advice to raise `memory_limit`.
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
 * Time after which clients may retry (`Retry-After`). Freeing disk space takes longer, but a query that competed with
 * others for memory may soon succeed.
 */
const retryAfterMs = 30_000;

/**
 * Returns whether an error means that the disk is full. DuckDB itself fails once it has spilled as much as
 * `max_temp_directory_size` allows: nine tenths of the free space.
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

/** Returns the error for a full disk to which an export is written, while the disk of the database is not full. */
function elsewhereFull(cause: unknown, file: string): FederationError {
  return new FederationError('QUERY_NO_ROOM', {
    subject: { key: file },
    detail: 'The volume that an export is written to is full.',
    hint: 'Free space on it, or set TMPDIR to another folder for temporary files.',
    retryAfterMs,
    cause,
  });
}
