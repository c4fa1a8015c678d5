import { isErrorCode } from './catalog';
import { errorLine, isError } from './error-line';
import { FederationError } from './federation-error';
import { ownHintIn } from './hints';
import { keyErrorIn } from './key-errors';
import { temporalFailure, type TemporalPlace } from './temporal-failure';

/**
 * Converts any error to an error of the catalogue. Errors of Temporal and of the operating system get specific codes,
 * because users can cause them. All other errors are bugs of this program and get the code INTERNAL.
 */
export function knownError(error: unknown, place: TemporalPlace = {}): FederationError {
  return (
    ownError(error) ??
    temporalFailure(error, place) ??
    systemFailure(error) ??
    new FederationError('INTERNAL', { detail: isError(error) ? error.message : String(error), cause: error })
  );
}

/** Finds an error of ours in a chain of causes. In Temporal's failures, the type is the code of the error. */
function ownError(error: unknown): FederationError | undefined {
  for (let at = error, depth = 0; isError(at) && depth < 8; at = at.cause, depth++) {
    if (at instanceof FederationError) return at;
    const { type } = at as { type?: unknown };
    if (typeof type === 'string' && isErrorCode(type))
      return new FederationError(type, { detail: at.message, hint: ownHintIn(at), cause: error });
    const undecryptable = keyErrorIn(at.message);
    if (undecryptable !== undefined) return undecryptable;
  }
  return undefined;
}

/** Converts an error of a system call, such as `EACCES: permission denied, open '/data/x'`. */
function systemFailure(error: unknown): FederationError | undefined {
  for (let at = error, depth = 0; isError(at) && depth < 8; at = at.cause, depth++) {
    const { code, syscall } = at as { code?: unknown; syscall?: unknown };
    if (typeof code === 'string' && typeof syscall === 'string')
      return new FederationError('SYSTEM_REFUSED', { detail: `${errorLine(at)}.`, cause: error });
  }
  return undefined;
}
