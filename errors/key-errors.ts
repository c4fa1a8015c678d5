import { FederationError } from './federation-error';

/** Codes of the errors that say that payloads in Temporal cannot be decrypted. */
export const keyErrors = ['TEMPORAL_KEY_MISSING', 'TEMPORAL_KEY_DIFFERS'] as const;

/** An error that says that payloads in Temporal cannot be decrypted. */
export type KeyError = FederationError & { readonly code: (typeof keyErrors)[number] };

/** Returns an error that says why payloads cannot be decrypted. */
export function keyError(
  code: (typeof keyErrors)[number],
  detail: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): FederationError {
  return new FederationError(code, { subject: { setting: 'temporal.encryptionKeys' }, detail, ...options });
}

/** Returns whether an error says that payloads cannot be decrypted. */
export function isKeyError(error: unknown): error is KeyError {
  return error instanceof FederationError && keyErrors.some((code) => code === error.code);
}

/**
 * Returns the text of an error that says that payloads cannot be decrypted. In Temporal, the message of a failure is
 * all that remains of such an error, so it begins with the code. `keyErrorIn` is the inverse.
 */
export function keyErrorText({ code, detail }: FederationError): string {
  return `${code}: ${detail}`;
}

/** Converts a text of `keyErrorText` back to the error. Returns undefined for any other text. */
export function keyErrorIn(message: string): FederationError | undefined {
  const code = keyErrors.find((one) => message.startsWith(`${one}: `));
  return code && keyError(code, message.slice(code.length + 2));
}
