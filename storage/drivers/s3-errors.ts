import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';

/** By name where the name says more than the status. */
const codesByName: Record<string, ErrorCode> = {
  NoSuchKey: 'STORAGE_NOT_FOUND',
  NoSuchBucket: 'STORAGE_BUCKET_NOT_FOUND',
  ConditionalRequestConflict: 'STORAGE_CONFLICT',
  OperationAborted: 'STORAGE_CONFLICT',
  NoSuchUpload: 'STORAGE_CONFLICT',
  SignatureDoesNotMatch: 'STORAGE_ACCESS_DENIED',
  InvalidAccessKeyId: 'STORAGE_ACCESS_DENIED',
  XAdminUserNotFound: 'STORAGE_ACCESS_DENIED',
  ExpiredToken: 'STORAGE_ACCESS_DENIED',
  InvalidToken: 'STORAGE_ACCESS_DENIED',
  AuthorizationHeaderMalformed: 'STORAGE_ACCESS_DENIED',
  CredentialsProviderError: 'STORAGE_ACCESS_DENIED',
  SlowDown: 'STORAGE_THROTTLED',
  RequestTimeout: 'STORAGE_UNAVAILABLE',
  KeyTooLong: 'STORAGE_INVALID_KEY',
  KeyTooLongError: 'STORAGE_INVALID_KEY',
  // Stores that keep objects as files cannot have one beside a folder of the same name.
  ObjectParentIsFile: 'STORAGE_INVALID_KEY',
  ExistingObjectIsDirectory: 'STORAGE_INVALID_KEY',
  EntityTooLarge: 'STORAGE_TOO_LARGE',
  BadDigest: 'STORAGE_CORRUPT',
  QuotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
};

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
  507: 'STORAGE_QUOTA_EXCEEDED',
};

/** A connection that another attempt will not make better: whom we meet is not whom we should. */
const certificateFaults = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO)/;

const untrustedHint =
  'The endpoint’s certificate is not trusted: set config.http_config.tls_config.ca_file, or correct the endpoint.';
const wrongRegionNames = new Set([
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'IllegalLocationConstraintException',
]);

/**
 * The catalogued error for what the SDK threw: by name, by HTTP status, else a network that does not answer. `redact`
 * takes the secrets out of a message that a store might have put them in.
 */
export function toStorageError(
  error: unknown,
  context: { label: string; verb: string; key: string; redact: (text: string) => string },
): FederationError {
  if (error instanceof FederationError) return error;
  const { name, message, status, requestId, retryAfterMs, errno } = describe(error);
  const code = codesByName[name] ?? codesByStatus[status ?? 0] ?? 'STORAGE_UNAVAILABLE';
  const untrusted = certificateFaults.test(errno);
  const known = status === undefined && errno !== '' ? errno : name;
  const what = context.redact([known, status, message.slice(0, 300)].filter(Boolean).join(', '));
  const subject = code === 'STORAGE_BUCKET_NOT_FOUND' ? {} : { key: context.key };
  return new FederationError(code, {
    subject,
    detail: `Could not ${context.verb} in ${context.label}: ${what}`,
    ...(untrusted && { hint: untrustedHint }),
    ...(wrongRegionNames.has(name) && {
      hint: 'Set config.region in federated-store.yaml to the region of the bucket.',
    }),
    // A request that the store does not understand will not be understood the next time either.
    ...((untrusted || (status === 400 && codesByName[name] === undefined)) && { retryable: false }),
    retryAfterMs,
    // Not the SDK's error itself: it carries the request with its headers.
    cause: new Error(context.redact(`${name}: ${message}${requestId ? ` (request ${requestId})` : ''}`)),
  });
}

export function statusOf(error: unknown): number | undefined {
  return describe(error).status;
}

interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly errno: string;
}

function describe(error: unknown): SdkError {
  if (typeof error !== 'object' || error === null) return { ...nothing, message: String(error) };
  const { name, message, $metadata, $response, code } = error as {
    name?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { headers?: Record<string, string> };
    code?: unknown;
  };
  const seconds = Number($response?.headers?.['retry-after']);
  return {
    name: name ?? '',
    message: message ?? '',
    status: $metadata?.httpStatusCode,
    requestId: $metadata?.requestId,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
    errno: typeof code === 'string' ? code : '',
  };
}

const nothing = {
  name: '',
  message: '',
  status: undefined,
  requestId: undefined,
  retryAfterMs: undefined,
  errno: '',
};
