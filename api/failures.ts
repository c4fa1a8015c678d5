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

const statuses: Partial<Record<ErrorCode, number>> = {
  QUERY_INVALID: 400,
  QUERY_NOT_BUILT: 501,
  QUERY_NO_DATA: 503,
  QUERY_BUSY: 503,
  QUERY_TIMEOUT: 504,
  QUERY_TOO_LARGE: 413,
  ACCESS_DENIED: 401,
  CLUSTER_UNKNOWN: 404,
  CLUSTER_ID_INVALID: 400,
  RUN_NOT_FOUND: 404,
  GENERATION_UNREADABLE: 404,
};

/** The answer to an error: its sentence and its hint, never a stack trace or a path of this machine. */
export function failureOf(error: unknown): Failure {
  if (isFederationError(error)) return ofCatalog(error);
  const status = statusOf(error);
  if (status !== undefined)
    return failure(status, error instanceof Error ? error.message : 'The request cannot be read.');
  const id = randomUUID();
  return { ...failure(500, `Something that was not foreseen; the log has it as ${id}.`), id };
}

function ofCatalog(error: FederationError): Failure {
  // What is wrong with the store or with Temporal is nothing that the asker did.
  const status = statuses[error.code] ?? 502;
  const wait = error.retryAfterMs ?? (status === 503 ? 5_000 : undefined);
  return failure(status, `${error.detail} ${status === 502 ? `(${error.code}) ` : ''}${error.hint}`, {
    ...(wait !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(wait / 1_000))) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
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
