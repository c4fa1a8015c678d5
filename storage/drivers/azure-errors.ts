import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type FailureContext, retryAfterOf, type SeenFailure, storeFailure } from '../store-failure';

/** Maps Azure's error codes to our error codes. Contains only codes that are more specific than the HTTP status. */
const codesByName: Record<string, ErrorCode> = {
  BlobNotFound: 'STORAGE_NOT_FOUND',
  ContainerNotFound: 'STORAGE_BUCKET_NOT_FOUND',
  ContainerBeingDeleted: 'STORAGE_BUCKET_NOT_FOUND',
  BlobAlreadyExists: 'STORAGE_PRECONDITION_FAILED',
  AuthorizationFailure: 'STORAGE_ACCESS_DENIED',
  AuthenticationFailed: 'STORAGE_ACCESS_DENIED',
  InvalidAuthenticationInfo: 'STORAGE_ACCESS_DENIED',
  AuthenticationError: 'STORAGE_ACCESS_DENIED',
  AuthenticationRequiredError: 'STORAGE_ACCESS_DENIED',
  CredentialUnavailableError: 'STORAGE_ACCESS_DENIED',
  AggregateAuthenticationError: 'STORAGE_ACCESS_DENIED',
  LeaseIdMissing: 'STORAGE_ACCESS_DENIED',
  ServerBusy: 'STORAGE_THROTTLED',
  Md5Mismatch: 'STORAGE_CORRUPT',
  RequestBodyTooLarge: 'STORAGE_TOO_LARGE',
  BlockCountExceedsLimit: 'STORAGE_TOO_LARGE',
  InvalidRange: 'STORAGE_INVALID_RANGE',
  // Azure returns this code if a concurrent upload of the same object has discarded the blocks of this upload. A retry
  // uploads them again.
  InvalidBlockList: 'STORAGE_CONFLICT',
  OperationTimedOut: 'STORAGE_UNAVAILABLE',
};

/** Converts an error of the Azure SDK to a FederationError; see `storeFailure`. */
export function toStorageError(
  error: unknown,
  context: Pick<FailureContext, 'label' | 'verb' | 'key'>,
): FederationError {
  if (error instanceof FederationError) return error;
  return storeFailure(describe(error), { ...context, codesByName });
}

export function statusOf(error: unknown): number | undefined {
  return describe(error).status;
}

function describe(error: unknown): SeenFailure {
  if (typeof error !== 'object' || error === null)
    return { name: '', message: String(error), status: undefined, errno: '' };
  const { name, message, code, statusCode, response, details } = error as {
    name?: string;
    message?: string;
    code?: unknown;
    statusCode?: number;
    response?: { headers?: { get(name: string): string | undefined } };
    details?: { errorCode?: string };
  };
  const header = (wanted: string) => response?.headers?.get(wanted);
  const storeName = details?.errorCode ?? header('x-ms-error-code') ?? (typeof code === 'string' ? code : '');
  return {
    // If there was no response, use the error's name, because `storeName` is then only the code of a network error.
    name: statusCode === undefined ? (name ?? '') : storeName,
    // Keep only the first line of the message, because the other lines repeat the request.
    message: (message ?? '').split('\n')[0] ?? '',
    status: statusCode,
    requestId: header('x-ms-request-id'),
    retryAfterMs: retryAfterOf(header('retry-after')),
    errno: statusCode === undefined && typeof code === 'string' ? code : '',
  };
}
