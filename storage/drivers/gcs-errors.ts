import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { storeFailure, type FailureContext, type SeenFailure } from '../store-failure';

/** By reason where the reason says more than the status. */
const codesByName: Record<string, ErrorCode> = {
  rateLimitExceeded: 'STORAGE_THROTTLED',
  userRateLimitExceeded: 'STORAGE_THROTTLED',
  quotaExceeded: 'STORAGE_QUOTA_EXCEEDED',
  noCredentials: 'STORAGE_ACCESS_DENIED',
  checksumMismatch: 'STORAGE_CORRUPT',
};

const ofNetwork = /^(?:ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE|EHOST|ENET)/;

/** What went wrong with a request, without the request: that has the token in its headers. */
export class GcsFailure extends Error {
  constructor(readonly seen: SeenFailure) {
    super(seen.message);
  }
}

/** The failure that an answer other than the wanted one is. `text` is its body, which is JSON if it is the store's own. */
export function refusal(
  answer: Pick<SeenFailure, 'status' | 'requestId' | 'retryAfterMs'>,
  text: string,
): GcsFailure {
  const { reason, message } = parseError(text);
  // The store says so only in words.
  const isChecksum = answer.status === 400 && /\b(?:crc32c|md5)\b/i.test(message);
  return new GcsFailure({ ...answer, name: isChecksum ? 'checksumMismatch' : reason, message, errno: '' });
}

/** The failure that an answer is which is not the store's: somebody else's page, say, with a status of success. */
export function notTheStore(what: string): GcsFailure {
  const message = `${what}: is something else answering in place of the store?`;
  return new GcsFailure({ name: '', message, status: undefined, errno: '' });
}

/** The failure to get a token; its own words, as what the library throws carries the whole exchange. */
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

/** The catalogued error for what was thrown: by reason, by HTTP status, else a network that does not answer. */
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
