import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type FailureContext, retryAfterOf, type SeenFailure, storeFailure } from '../store-failure';

/** Maps S3's error codes to our error codes. Contains only codes that are more specific than the HTTP status. */
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
  TokenRefreshRequired: 'STORAGE_ACCESS_DENIED',
  // Not a code of S3: `describe` gives this name to a response with status 400 and without a body.
  BadRequest: 'STORAGE_ACCESS_DENIED',
  AuthorizationHeaderMalformed: 'STORAGE_ACCESS_DENIED',
  CredentialsProviderError: 'STORAGE_ACCESS_DENIED',
  SlowDown: 'STORAGE_THROTTLED',
  RequestTimeout: 'STORAGE_UNAVAILABLE',
  KeyTooLong: 'STORAGE_INVALID_KEY',
  KeyTooLongError: 'STORAGE_INVALID_KEY',
  // Stores that keep objects as files cannot hold an object and a folder of the same name.
  ObjectParentIsFile: 'STORAGE_INVALID_KEY',
  ExistingObjectIsDirectory: 'STORAGE_INVALID_KEY',
  EntityTooLarge: 'STORAGE_TOO_LARGE',
  BadDigest: 'STORAGE_CORRUPT',
  QuotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
  MissingChecksum: 'STORE_CONFIG_INVALID',
};

/**
 * Matches the message of a store that demands a checksum. The message is needed, because the code of this error is only
 * `InvalidRequest`.
 */
const demandsChecksum = /(?:content-md5|x-amz-checksum).*(?:required|missing)/i;

const wrongRegionNames = new Set([
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'IllegalLocationConstraintException',
]);

const hints = [
  { names: wrongRegionNames, hint: 'Set config.region in federated-store.yaml to the region of the bucket.' },
  {
    names: new Set(['MissingChecksum']),
    hint: 'The bucket demands a checksum, as one with Object Lock does: set config.checksum in federated-store.yaml to crc32, or to md5 for an older store.',
  },
];

/**
 * Converts an error of the AWS SDK to a FederationError; see `storeFailure`.
 */
export function toStorageError(
  error: unknown,
  context: Pick<FailureContext, 'label' | 'verb' | 'key'>,
): FederationError {
  if (error instanceof FederationError) return error;
  const seen = describe(error);
  const hint = hints.find(({ names }) => names.has(seen.name))?.hint;
  return storeFailure(seen, { ...context, codesByName, hint });
}

export function statusOf(error: unknown): number | undefined {
  return describe(error).status;
}

function describe(error: unknown): SeenFailure {
  if (typeof error !== 'object' || error === null) return { ...nothing, message: String(error) };
  const { name, message, $metadata, $response, code } = error as {
    name?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { headers?: Record<string, string> };
    code?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  // If an error response has no body, the SDK names the error `Unknown`, and its message is useless. Responses to HEAD
  // requests never have a body.
  const isMute = name === 'Unknown' && status !== undefined;
  // S3 answers 400 to a HEAD request that was signed with an expired token or for another region.
  const muteName = status === 400 ? 'BadRequest' : '';
  const wantsChecksum = status === 400 && demandsChecksum.test(message ?? '');
  const storeName = wantsChecksum ? 'MissingChecksum' : (name ?? '');
  return {
    name: isMute ? muteName : storeName,
    message: isMute ? (STATUS_CODES[status] ?? '') : (message ?? ''),
    status,
    requestId: $metadata?.requestId,
    retryAfterMs: retryAfterOf($response?.headers?.['retry-after']),
    errno: typeof code === 'string' ? code : '',
  };
}

const nothing = { name: '', status: undefined, errno: '' };
