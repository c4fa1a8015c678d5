import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type FailureContext, type SeenFailure, storeFailure } from '../store-failure';

/** Catalogue codes by the store's reason, for reasons that say more than the HTTP status. */
const codesByName: Record<string, ErrorCode> = {
  rateLimitExceeded: 'STORAGE_THROTTLED',
  userRateLimitExceeded: 'STORAGE_THROTTLED',
  quotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
  noCredentials: 'STORAGE_ACCESS_DENIED',
  checksumMismatch: 'STORAGE_CORRUPT',
};

const ofNetwork = /^(?:ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE|EHOST|ENET)/;

/** A failed request. It does not contain the request itself, whose headers hold the token. */
export class GcsFailure extends Error {
  constructor(readonly seen: SeenFailure) {
    super(seen.message);
  }
}

/**
 * Returns the failure for an answer with an error status. `text` is the answer's body, which is JSON if the store
 * itself has answered.
 */
export function refusal(
  answer: Pick<SeenFailure, 'status' | 'requestId' | 'retryAfterMs'>,
  text: string,
): GcsFailure {
  const { reason, message } = parseError(text);
  // Only the store's message shows that a checksum was wrong; its reason is the same as for other errors.
  const isChecksum = answer.status === 400 && /\b(?:crc32c|md5)\b/i.test(message);
  return new GcsFailure({ ...answer, name: isChecksum ? 'checksumMismatch' : reason, message, errno: '' });
}

/**
 * Returns the failure for an answer that reports success but cannot be from the store, such as the login page of a
 * proxy.
 */
export function notTheStore(what: string): GcsFailure {
  const message = `${what}: is something else answering in place of the store?`;
  return new GcsFailure({ name: '', message, status: undefined, errno: '' });
}

/**
 * Returns the failure for a token that could not be obtained. Keeps only the message, because the library's error
 * contains the whole exchange.
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
 * Maps a thrown value to a catalogued error: by the store's reason, otherwise by HTTP status, otherwise
 * STORAGE_UNAVAILABLE.
 */
export function toStorageError(
  error: unknown,
  context: Pick<FailureContext, 'label' | 'verb' | 'key' | 'redact'>,
): FederationError {
  if (error instanceof FederationError) return error;
  return storeFailure(error instanceof GcsFailure ? error.seen : describe(error), {
    ...context,
    codesByName,
  });
}

/** Returns the HTTP status of a GcsFailure; undefined if there was no answer, and for any other error. */
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
