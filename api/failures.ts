import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../errors/catalog';
import { type FederationError, isFederationError } from '../errors/federation-error';
import { sentence } from '../errors/hints';
import { knownError } from '../errors/known-error';

/** The HTTP answer to a failed request. */
export interface Failure {
  readonly status: number;
  /** The body, as JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Id under which an unexpected error is logged. Absent for all other errors. */
  readonly id?: string;
}

/**
 * HTTP status by error code. QUERY_BUSY is 503 and not 429, because the server is overloaded: the client has not
 * exceeded a quota.
 */
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
  HOST_UNKNOWN: 421,
  CLUSTER_UNKNOWN: 404,
  CLUSTER_ID_INVALID: 400,
  RUN_NOT_FOUND: 404,
  GENERATION_UNREADABLE: 404,
};

/** Matches the codes of errors that come from the systems behind the server: the storage, its files, and Temporal. */
const upstream =
  /^(STORAGE|STORE|ETL|SOURCE|SYSTEM|TEMPORAL|SEARCH|ROSTER|FEDERATION|FEDERATOR|DUPLICATE|PRIMARY)_/;

/**
 * Converts an error to an HTTP answer. The answer contains the error's detail and hint, but no stack trace. If the
 * error is unexpected, the answer contains only the id under which it is logged.
 */
export function failureOf(error: unknown): Failure {
  const clientFault = statusOf(error);
  if (clientFault !== undefined && !isFederationError(error))
    return failure(clientFault, error instanceof Error ? error.message : 'The request cannot be read.');
  const known = knownError(error);
  const status = statuses[known.code] ?? (upstream.test(known.code) ? 502 : undefined);
  return status === undefined ? unforeseen() : ofCatalog(known, status);
}

function unforeseen(): Failure {
  const id = randomUUID();
  return { ...failure(500, `Unexpected error; the log has it as ${id}.`), id };
}

function ofCatalog(error: FederationError, status: number): Failure {
  const wait = error.retryAfterMs ?? (status === 503 ? 5_000 : undefined);
  // The detail of a server error (502 or 503) may contain a path on this machine.
  const detail = status === 502 || status === 503 ? withoutPaths(error.detail) : error.detail;
  const said = status === 502 ? `${sentence(detail)} (${error.code})` : sentence(detail);
  return failure(status, `${said} ${error.hint}`, {
    ...(wait !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(wait / 1_000))) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
}

/** Replaces absolute paths in a string with `…`. Paths on this machine belong in the server's log, not in an answer. */
export function withoutPaths(text: string): string {
  return text.replace(/(?:file:\/\/|(?<![\w.:/-]))\/[^\s'"`),;]+/g, '…');
}

/** Creates the answer to a failed request. */
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

/** Returns the 4xx status that Fastify set on an error; undefined for any other error. */
function statusOf(error: unknown): number | undefined {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
