import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type FailureContext, type SeenFailure, storeFailure } from '../store-failure';

/**
 * Maps the `reason` of a GCS error to our error codes. Contains only reasons that are more specific than the HTTP
 * status.
 */
const codesByName: Record<string, ErrorCode> = {
  rateLimitExceeded: 'STORAGE_THROTTLED',
  userRateLimitExceeded: 'STORAGE_THROTTLED',
  quotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
  noCredentials: 'STORAGE_ACCESS_DENIED',
  checksumMismatch: 'STORAGE_CORRUPT',
};

const ofNetwork = /^(?:ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE|EHOST|ENET)/;

/** The error of a failed request. It does not contain the request, because the request's headers contain the token. */
export class GcsFailure extends Error {
  constructor(readonly seen: SeenFailure) {
    super(seen.message);
  }
}

/**
 * Returns the error for a response with an error status. `text` is the body of the response. It is JSON only if the
 * response comes from the store itself, and not, for example, from a proxy.
 */
export function refusal(
  answer: Pick<SeenFailure, 'status' | 'requestId' | 'retryAfterMs'>,
  text: string,
): GcsFailure {
  const { reason, message } = parseError(text);
  // GCS reports a wrong checksum with the same `reason` as other errors, so recognize it by the message.
  const isChecksum = answer.status === 400 && /\b(?:crc32c|md5)\b/i.test(message);
  return new GcsFailure({ ...answer, name: isChecksum ? 'checksumMismatch' : reason, message, errno: '' });
}

/**
 * Returns the error for a response that has a success status but cannot come from the store, such as the login page of
 * a proxy.
 */
export function notTheStore(what: string): GcsFailure {
  const message = `${what}: is something else answering in place of the store?`;
  return new GcsFailure({ name: '', message, status: undefined, errno: '' });
}

/**
 * Returns the error for a failed attempt to obtain a token. Keeps only the message of the library's error, because that
 * error also contains the request and the response, with their secrets.
 */
export function noToken(error: unknown): GcsFailure {
  const { message, code, status, cause } = error as {
    message?: string;
    code?: unknown;
    status?: number;
    cause?: { code?: unknown };
  };
  const errno = [code, cause?.code].find(
    (text): text is string => typeof text === 'string' && ofNetwork.test(text),
  );
  const laterPerhaps = errno !== undefined || (status ?? 0) >= 500 || status === 429;
  return new GcsFailure({
    name: laterPerhaps ? 'tokenUnavailable' : 'noCredentials',
    message: `no token: ${message ?? String(error)}`,
    status: laterPerhaps ? undefined : status,
    errno: errno ?? '',
  });
}

/**
 * Converts any thrown value to a FederationError. Chooses the error code by the `reason` that GCS sent, or else by the
 * HTTP status, or else uses STORAGE_UNAVAILABLE.
 */
export function toStorageError(
  error: unknown,
  context: Pick<FailureContext, 'label' | 'verb' | 'key'>,
): FederationError {
  if (error instanceof FederationError) return error;
  return storeFailure(error instanceof GcsFailure ? error.seen : describe(error), {
    ...context,
    codesByName,
  });
}

/**
 * Returns the HTTP status of a GcsFailure. Returns undefined if the GcsFailure has no status, or if the error is not a
 * GcsFailure.
 */
export function statusOf(error: unknown): number | undefined {
  return error instanceof GcsFailure ? error.seen.status : undefined;
}

function describe(error: unknown): SeenFailure {
  const { name, message, code } = error as { name?: string; message?: string; code?: unknown };
  return {
    name: name ?? '',
    message: message ?? String(error),
    status: undefined,
    errno: typeof code === 'string' ? code : '',
  };
}

function parseError(text: string): { reason: string; message: string } {
  try {
    const { error } = JSON.parse(text) as {
      error?: { message?: string; errors?: { reason?: string }[] };
    };
    return { reason: error?.errors?.[0]?.reason ?? '', message: error?.message ?? '' };
  } catch {
    return { reason: '', message: text.replaceAll(/\s+/g, ' ').slice(0, 300) };
  }
}
