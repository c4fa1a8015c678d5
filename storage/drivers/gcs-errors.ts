import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { type FailureContext, type SeenFailure, storeFailure } from '../store-failure';

/** Codes by the store's reason, where that is more precise than the HTTP status. */
const codesByName: Record<string, ErrorCode> = {
  rateLimitExceeded: 'STORAGE_THROTTLED',
  userRateLimitExceeded: 'STORAGE_THROTTLED',
  quotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
  noCredentials: 'STORAGE_ACCESS_DENIED',
  checksumMismatch: 'STORAGE_CORRUPT',
};

const ofNetwork = /^(?:ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE|EHOST|ENET)/;

/** A failed request. Does not keep the request itself, whose headers hold the token. */
export class GcsFailure extends Error {
  constructor(readonly seen: SeenFailure) {
    super(seen.message);
  }
}

/** The failure for an answer with an error status. `text` is its body: JSON if it is from the store itself. */
export function refusal(
  answer: Pick<SeenFailure, 'status' | 'requestId' | 'retryAfterMs'>,
  text: string,
): GcsFailure {
  const { reason, message } = parseError(text);
  // The store has no reason of its own for a wrong checksum; only the message says so.
  const isChecksum = answer.status === 400 && /\b(?:crc32c|md5)\b/i.test(message);
  return new GcsFailure({ ...answer, name: isChecksum ? 'checksumMismatch' : reason, message, errno: '' });
}

/** The failure for an answer that succeeded but cannot be the store's, such as the login page of a proxy. */
export function notTheStore(what: string): GcsFailure {
  const message = `${what}: is something else answering in place of the store?`;
  return new GcsFailure({ name: '', message, status: undefined, errno: '' });
}

/** The failure to get a token. Keeps only the message, as the library's error holds the whole exchange. */
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

/** The catalogued error for a thrown value: by reason, then by HTTP status, else STORAGE_UNAVAILABLE. */
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

/** The HTTP status of a GcsFailure; undefined if there was no answer, or for any other error. */
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
