import type { ErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';

/** What a driver made out of the error that its SDK threw. */
export interface SeenFailure {
  /** The store's own name for it, such as `NoSuchKey`; empty when it gave none. */
  readonly name: string;
  readonly message: string;
  /** Of HTTP; undefined when no answer came. */
  readonly status: number | undefined;
  readonly requestId?: string | undefined;
  /** What the store asks for by `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
  /** Of the network, such as `ECONNRESET`; empty when it was not that. */
  readonly errno: string;
}

export interface FailureContext {
  readonly label: string;
  /** What could not be done, such as `read`. */
  readonly verb: string;
  readonly key: string;
  /** Where the store's name for a failure says more than its status. */
  readonly codesByName: Readonly<Record<string, ErrorCode>>;
  /** Takes out the secrets that a store might have put into a message. */
  readonly redact: (text: string) => string;
  /** In place of the catalogue's, where the store's answer says what to do. */
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

/** A connection that another attempt will not make better: whom we meet is not whom we should. */
const certificateFaults = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO)/;
const untrustedHint =
  'The endpoint’s certificate is not trusted: set config.http_config.tls_config.ca_file, or correct the endpoint.';

/**
 * The catalogued error for a failure: by the store's name for it, by HTTP status, else a network that does not answer.
 * The SDK's own error is not its cause: it carries the request with its headers.
 */
export function storeFailure(seen: SeenFailure, context: FailureContext): FederationError {
  const { name, message, status, requestId, retryAfterMs, errno } = seen;
  const named = context.codesByName[name];
  const code = named ?? codesByStatus[status ?? 0] ?? 'STORAGE_UNAVAILABLE';
  // Not every SDK hands the network's code on; the words are always there.
  const untrusted =
    certificateFaults.test(errno) || (status === undefined && /\bcertificates?\b|altnames/i.test(message));
  const known = status === undefined && errno !== '' ? errno : name;
  const what = context.redact([known, status, message.slice(0, 300)].filter(Boolean).join(', '));
  const hint = untrusted ? untrustedHint : context.hint;
  return new FederationError(code, {
    subject: code === 'STORAGE_BUCKET_NOT_FOUND' ? {} : { key: context.key },
    detail: `Could not ${context.verb} in ${context.label}: ${what}`,
    ...(hint !== undefined && { hint }),
    // A request that the store does not understand will not be understood the next time either.
    ...((untrusted || (status === 400 && named === undefined)) && { retryable: false }),
    retryAfterMs,
    cause: new Error(context.redact(`${name}: ${message}${requestId ? ` (request ${requestId})` : ''}`)),
  });
}

/** `Retry-After` in milliseconds; undefined when there is none that can be read. */
export function retryAfterOf(header: string | null | undefined): number | undefined {
  const seconds = Number(header ?? '');
  return seconds > 0 ? seconds * 1000 : undefined;
}

export function storageError(code: ErrorCode, key: string, detail: string): FederationError {
  return new FederationError(code, { subject: { key }, detail });
}

/** A pinned state of an object is no longer the one that is there. */
export function changed(key: string): FederationError {
  return storageError('STORAGE_CONFLICT', key, 'The object changed meanwhile.');
}

/** Nobody put an object of this key there, or somebody removed it. */
export function missing(key: string): FederationError {
  return storageError('STORAGE_NOT_FOUND', key, 'There is no object of this key.');
}

/** Somebody was first to create it. */
export function alreadyThere(key: string): FederationError {
  return storageError('STORAGE_PRECONDITION_FAILED', key, 'There is an object of this key already.');
}

/** Every answer about an object has an ETag. */
export function withoutEtag(key: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    key,
    'The answer has no ETag: it is hardly from the store itself.',
  );
}

/** Whoever answers with a page of his own, a proxy say, must not be taken for a bucket without objects. */
export function noListing(prefix: string): FederationError {
  return storageError(
    'STORAGE_UNAVAILABLE',
    prefix,
    'A listing was asked for, and what came was none: is something else answering in place of the store?',
  );
}
