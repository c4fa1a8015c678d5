import type { ErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';
import { withoutSecrets } from '../errors/secrets';
import { ownValue } from '../etl/own-value';

/** Details of a failed call, as extracted by a driver from its SDK's error. */
export interface SeenFailure {
  /**
   * The store's error code, such as `NoSuchKey`. If there was no response, the name of the SDK's error. May be empty.
   */
  readonly name: string;
  readonly message: string;
  /** HTTP status; undefined if there was no response. */
  readonly status: number | undefined;
  readonly requestId?: string | undefined;
  /** Pause requested by the `Retry-After` header of the response, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** System code of a network error, such as `ECONNRESET`; empty for other errors. */
  readonly errno: string;
}

export interface FailureContext {
  readonly label: string;
  /** The operation that failed, such as `read`. It is shown in the message. */
  readonly verb: string;
  readonly key: string;
  /** Maps `SeenFailure.name` to an error code. Contains only names that are more specific than the HTTP status. */
  readonly codesByName: Readonly<Record<string, ErrorCode>>;
  /** Advice for the user that replaces the error code's default hint. Used if the response shows what to do. */
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

/** Matches error codes of TLS failures. Retrying does not help, because the server is probably not the expected one. */
const certificateFaults = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO)/;
const untrustedHint =
  'The endpoint’s certificate is not trusted: set config.http_config.tls_config.ca_file, or correct the endpoint.';

/** Matches codes and messages of requests that Node refuses to send, such as one with a line break in an access key. */
const impossible = /\bERR_(?:HTTP_INVALID|INVALID|UNESCAPED)_|\bInvalid character in header\b/;
const impossibleHint =
  'Look for a line break, a space or another unusual character in the credentials and in the endpoint, in federated-store.yaml and in environment variables.';
/** The client errors (status 4xx) that may be temporary. */
const passing = new Set([408, 425, 429]);

/**
 * Converts a failure to a FederationError. Chooses the error code by the store's error name, or else by the HTTP
 * status, or else uses STORAGE_UNAVAILABLE. Does not attach the SDK's error as the cause, because it contains the
 * request with its headers, which may hold secrets.
 */
export function storeFailure(seen: SeenFailure, context: FailureContext): FederationError {
  const { name, message, status, requestId, retryAfterMs, errno } = seen;
  const unsendable = status === undefined && impossible.test(`${errno} ${message}`);
  const named = unsendable ? 'STORE_CONFIG_INVALID' : ownValue(context.codesByName, name);
  const code = named ?? codesByStatus[status ?? 0] ?? 'STORAGE_UNAVAILABLE';
  // Some SDKs drop the code of a network error but keep its message, so check the message too.
  const untrusted =
    certificateFaults.test(errno) || (status === undefined && /\bcertificates?\b|altnames/i.test(message));
  const known = status === undefined && errno !== '' ? errno : name;
  const what = [known, status, withoutSecrets(message).slice(0, 300)].filter(Boolean).join(', ');
  const hint = untrusted ? untrustedHint : unsendable ? impossibleHint : context.hint;
  const isClientError = status !== undefined && status >= 400 && status < 500 && !passing.has(status);
  return new FederationError(code, {
    subject: code === 'STORAGE_BUCKET_NOT_FOUND' ? {} : { key: context.key },
    detail: `Could not ${context.verb} in ${context.label}: ${what}`,
    ...(hint !== undefined && { hint }),
    // Do not retry after a TLS failure, or if the store calls the request invalid, because the call would fail again.
    ...((untrusted || (isClientError && code === 'STORAGE_UNAVAILABLE' && named === undefined)) && {
      retryable: false,
    }),
    retryAfterMs,
    cause: new Error(withoutSecrets(`${name}: ${message}${requestId ? ` (request ${requestId})` : ''}`)),
  });
}

/**
 * Parses a `Retry-After` header and returns the pause in milliseconds. Returns undefined if the header is absent or is
 * not a positive number of seconds.
 */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const seconds = Number(header ?? '');
  return seconds > 0 ? seconds * 1000 : undefined;
}

export function storageError(code: ErrorCode, key: string, detail: string): FederationError {
  return new FederationError(code, { subject: { key }, detail });
}

/** Returns a STORAGE_CONFLICT error for an object that no longer has the requested version. */
export function changed(key: string): FederationError {
  return storageError('STORAGE_CONFLICT', key, 'The object changed meanwhile.');
}

/** Returns a STORAGE_NOT_FOUND error for an object that does not exist. */
export function missing(key: string): FederationError {
  return storageError('STORAGE_NOT_FOUND', key, 'There is no object with this key.');
}

/** Returns a STORAGE_PRECONDITION_FAILED error for a `create` of an object that already exists. */
export function alreadyThere(key: string): FederationError {
  return storageError('STORAGE_PRECONDITION_FAILED', key, 'An object with this key already exists.');
}

/**
 * Returns a STORAGE_UNAVAILABLE error for a response without an ETag. Every response about an object that comes from
 * the store itself has an ETag.
 */
export function withoutEtag(key: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    key,
    'The response has no ETag, so it probably does not come from the store itself.',
  );
}

/**
 * Returns a STORAGE_UNAVAILABLE error for a response that is not a listing. For example, the HTML page of a proxy must
 * not look like an empty bucket.
 */
export function noListing(prefix: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    prefix,
    'The response is not a listing: is something else responding in place of the store?',
  );
}
