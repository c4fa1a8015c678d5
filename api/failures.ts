import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../errors/catalog';
import { type FederationError, isFederationError } from '../errors/federation-error';

/** What is answered when something went wrong. */
export interface Failure {
  readonly status: number;
  /** The body, as JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Set where nobody foresaw it: it is in the log, too. */
  readonly id?: string;
}

/** A question that waits too long to be begun is a 503 as well: it is the server that has no room, not the asker's quota. */
const statuses: Partial<Record<ErrorCode, number>> = {
  QUERY_INVALID: 400,
  QUERY_NOT_BUILT: 501,
  QUERY_NO_DATA: 503,
  QUERY_BUSY: 503,
  QUERY_NO_ROOM: 503,
  QUERY_DATABASE_UNUSABLE: 503,
  QUERY_TIMEOUT: 504,
  QUERY_TOO_LARGE: 413,
  ACCESS_DENIED: 401,
  CLUSTER_UNKNOWN: 404,
  CLUSTER_ID_INVALID: 400,
  RUN_NOT_FOUND: 404,
  GENERATION_UNREADABLE: 404,
};

/** What the server asks in turn: the store, what lies in it, and Temporal. */
const upstream = /^(STORAGE|STORE|ETL|SOURCE|TEMPORAL|SEARCH|ROSTER|FEDERATION|FEDERATOR|DUPLICATE|PRIMARY)_/;

/** The answer to an error: its sentence and its hint, never a stack trace or a path of this machine. */
export function failureOf(error: unknown): Failure {
  if (isFederationError(error)) {
    const status = statuses[error.code] ?? (upstream.test(error.code) ? 502 : undefined);
    return status === undefined ? unforeseen() : ofCatalog(error, status);
  }
  const status = statusOf(error);
  if (status === undefined) return unforeseen();
  return failure(status, error instanceof Error ? error.message : 'The request cannot be read.');
}

function unforeseen(): Failure {
  const id = randomUUID();
  return { ...failure(500, `Something that was not foreseen; the log has it as ${id}.`), id };
}

function ofCatalog(error: FederationError, status: number): Failure {
  const wait = error.retryAfterMs ?? (status === 503 ? 5_000 : undefined);
  // What the server lacks is nothing that the asker did, and may name a folder.
  const detail = status === 502 || status === 503 ? withoutPaths(error.detail) : error.detail;
  const told = status === 502 ? `${detail} (${error.code})` : detail;
  return failure(status, `${told} ${error.hint}`, {
    ...(wait !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(wait / 1_000))) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
}

/** Absolute paths of this machine are for its log. */
export function withoutPaths(text: string): string {
  return text.replace(/(?:file:\/\/|(?<![\w.:/-]))\/[^\s'"`),;]+/g, '…');
}

/** An answer that says no. */
export function failure(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Failure {
  return {
    status,
    body: JSON.stringify({ code: status, data: null, message: `Error: ${message}` }),
    headers,
  };
}

/** What the server framework found wrong with a request. */
function statusOf(error: unknown): number | undefined {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
