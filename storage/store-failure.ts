import type { ErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';

/** An SDK's error, as far as a driver could interpret it. */
export interface SeenFailure {
  /** The store's own error name, such as `NoSuchKey`; empty if it gave none. */
  readonly name: string;
  readonly message: string;
  /** HTTP status; undefined if there was no response. */
  readonly status: number | undefined;
  readonly requestId?: string | undefined;
  /** From the `Retry-After` header. */
  readonly retryAfterMs?: number | undefined;
  /** Network error code, such as `ECONNRESET`; empty for other errors. */
  readonly errno: string;
}

export interface FailureContext {
  readonly label: string;
  /** The operation that failed, such as `read`. */
  readonly verb: string;
  readonly key: string;
  /** Codes for error names that say more than the status. */
  readonly codesByName: Readonly<Record<string, ErrorCode>>;
  /** Removes secrets that a store might have put into a message. */
  readonly redact: (text: string) => string;
  /** Replaces the catalogue's hint if the store's response says what to do. */
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

/** TLS failures that a retry cannot fix: the server is not the one expected. */
const certificateFaults = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO)/;
const untrustedHint =
  'The endpoint’s certificate is not trusted: set config.http_config.tls_config.ca_file, or correct the endpoint.';

/**
 * The catalogued error for a failure, by the store's error name, else by HTTP status, else STORAGE_UNAVAILABLE. The SDK's
 * own error is not attached as the cause, since it carries the request with its headers.
 */
export function storeFailure(seen: SeenFailure, context: FailureContext): FederationError {
  const { name, message, status, requestId, retryAfterMs, errno } = seen;
  const named = context.codesByName[name];
  const code = named ?? codesByStatus[status ?? 0] ?? 'STORAGE_UNAVAILABLE';
  // Not every SDK passes on the network error code, but the message is always there.
  const untrusted =
    certificateFaults.test(errno) || (status === undefined && /\bcertificates?\b|altnames/i.test(message));
  const known = status === undefined && errno !== '' ? errno : name;
  const what = context.redact([known, status, message.slice(0, 300)].filter(Boolean).join(', '));
  const hint = untrusted ? untrustedHint : context.hint;
  return new FederationError(code, {
    subject: code === 'STORAGE_BUCKET_NOT_FOUND' ? {} : { key: context.key },
    detail: `Could not ${context.verb} in ${context.label}: ${what}`,
    ...(hint !== undefined && { hint }),
    // A malformed request (400) fails again on every retry.
    ...((untrusted || (status === 400 && named === undefined)) && { retryable: false }),
    retryAfterMs,
    cause: new Error(context.redact(`${name}: ${message}${requestId ? ` (request ${requestId})` : ''}`)),
  });
}

/** `Retry-After` in milliseconds; undefined if absent or unreadable. */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const seconds = Number(header ?? '');
  return seconds > 0 ? seconds * 1000 : undefined;
}

export function storageError(code: ErrorCode, key: string, detail: string): FederationError {
  return new FederationError(code, { subject: { key }, detail });
}

/** The error for a pinned version that has been replaced. */
export function changed(key: string): FederationError {
  return storageError('STORAGE_CONFLICT', key, 'The object changed meanwhile.');
}

/** The error for an object that does not exist. */
export function missing(key: string): FederationError {
  return storageError('STORAGE_NOT_FOUND', key, 'There is no object with this key.');
}

/** The error for a `create` of an object that already exists. */
export function alreadyThere(key: string): FederationError {
  return storageError('STORAGE_PRECONDITION_FAILED', key, 'An object with this key already exists.');
}

/** The error for a response without an ETag: every real response about an object has one. */
export function withoutEtag(key: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    key,
    'The response has no ETag, so it probably does not come from the store itself.',
  );
}

/** The error for a response that is not a listing: a page from a proxy, say, must not look like an empty bucket. */
export function noListing(prefix: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    prefix,
    'The response is not a listing: is something else responding in place of the store?',
  );
}
