import type { ErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';

/** What a driver has found out about an error of its SDK. */
export interface SeenFailure {
  /** The store's own name of the error, such as `NoSuchKey`; empty if the store gave none. */
  readonly name: string;
  readonly message: string;
  /** HTTP status; undefined if there was no response. */
  readonly status: number | undefined;
  readonly requestId?: string | undefined;
  /** The pause that the `Retry-After` header asks for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Code of a network error, such as `ECONNRESET`; empty for other errors. */
  readonly errno: string;
}

export interface FailureContext {
  readonly label: string;
  /** The operation that failed, such as `read`. */
  readonly verb: string;
  readonly key: string;
  /** Catalogue codes by error name, for names that say more than the HTTP status. */
  readonly codesByName: Readonly<Record<string, ErrorCode>>;
  /** Removes secrets that a store may have put into a message. */
  readonly redact: (text: string) => string;
  /** Replaces the catalogue's hint if the store's response shows what to do. */
  readonly hint?: string | undefined;
}

const codesByStatus: Record<number, ErrorCode> = {
  301: 'STORAGE_ACCESS_DENIED',
  401: 'STORAGE_ACCESS_DENIED',
  403: 'STORAGE_ACCESS_DENIED',
  404: 'STORAGE_NOT_FOUND',
  409: 'STORAGE_CONFLICT',
  412: 'STORAGE_PRECONDITION_FAILED',
  413: 'STORAGE_TOO_LARGE',
  416: 'STORAGE_INVALID_RANGE',
  429: 'STORAGE_THROTTLED',
  501: 'STORAGE_UNSUPPORTED',
  507: 'STORAGE_QUOTA_EXCEEDED',
};

/** Matches codes of TLS failures. A retry cannot repair them, because the server is not the expected one. */
const certificateFaults = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO)/;
const untrustedHint =
  'The endpoint’s certificate is not trusted: set config.http_config.tls_config.ca_file, or correct the endpoint.';

/**
 * Maps a failure to a catalogued error: by the store's error name, otherwise by HTTP status, otherwise
 * STORAGE_UNAVAILABLE. The SDK's own error does not become the cause, because it contains the request with its headers.
 */
export function storeFailure(seen: SeenFailure, context: FailureContext): FederationError {
  const { name, message, status, requestId, retryAfterMs, errno } = seen;
  const named = context.codesByName[name];
  const code = named ?? codesByStatus[status ?? 0] ?? 'STORAGE_UNAVAILABLE';
  // Not every SDK passes on the code of the network error. Its message is always there, so look at that too.
  const untrusted =
    certificateFaults.test(errno) || (status === undefined && /\bcertificates?\b|altnames/i.test(message));
  const known = status === undefined && errno !== '' ? errno : name;
  const what = context.redact([known, status, message.slice(0, 300)].filter(Boolean).join(', '));
  const hint = untrusted ? untrustedHint : context.hint;
  return new FederationError(code, {
    subject: code === 'STORAGE_BUCKET_NOT_FOUND' ? {} : { key: context.key },
    detail: `Could not ${context.verb} in ${context.label}: ${what}`,
    ...(hint !== undefined && { hint }),
    // A malformed request (400) would fail again on every retry.
    ...((untrusted || (status === 400 && named === undefined)) && { retryable: false }),
    retryAfterMs,
    cause: new Error(context.redact(`${name}: ${message}${requestId ? ` (request ${requestId})` : ''}`)),
  });
}

/**
 * Returns the pause that a `Retry-After` header asks for, in milliseconds; undefined if the header is absent or
 * unreadable.
 */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const seconds = Number(header ?? '');
  return seconds > 0 ? seconds * 1000 : undefined;
}

export function storageError(code: ErrorCode, key: string, detail: string): FederationError {
  return new FederationError(code, { subject: { key }, detail });
}

/** Returns the error for an object that no longer has the pinned version. */
export function changed(key: string): FederationError {
  return storageError('STORAGE_CONFLICT', key, 'The object changed meanwhile.');
}

/** Returns the error for an object that does not exist. */
export function missing(key: string): FederationError {
  return storageError('STORAGE_NOT_FOUND', key, 'There is no object with this key.');
}

/** Returns the error for a `create` of an object that already exists. */
export function alreadyThere(key: string): FederationError {
  return storageError('STORAGE_PRECONDITION_FAILED', key, 'An object with this key already exists.');
}

/** Returns the error for a response without an ETag, which every real response about an object has. */
export function withoutEtag(key: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    key,
    'The response has no ETag, so it probably does not come from the store itself.',
  );
}

/**
 * Returns the error for a response that is not a listing: the page of a proxy, for example, must not look like an empty
 * bucket.
 */
export function noListing(prefix: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    prefix,
    'The response is not a listing: is something else responding in place of the store?',
  );
}
