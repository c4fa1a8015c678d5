import { catalog, isErrorCode } from './catalog';

/** An error as it is kept in a workflow's state or in a report. */
export interface KeptError {
  readonly code: string;
  readonly message: string;
  /** What to do, if it is not what the catalogue says for the code. */
  readonly hint?: string | undefined;
}

/** Returns `hint` if it was made for this one error; undefined if it is what the catalogue says for the code. */
export function ownHint(code: string, hint: unknown): string | undefined {
  if (typeof hint !== 'string' || hint === '') return undefined;
  return isErrorCode(code) && catalog[code].hint === hint ? undefined : hint;
}

/**
 * Returns the hint that a Temporal failure carries in its details (see `asFailure`), if it was made for this one error.
 */
export function ownHintIn(failure: Error): string | undefined {
  const { type, details } = failure as { type?: unknown; details?: unknown };
  const [first] = (Array.isArray(details) ? details : []) as unknown[];
  const { hint } = (first ?? {}) as { hint?: unknown };
  return ownHint(String(type), hint);
}

/** Returns what to do about an error: its own hint or, if it has none, that of the catalogue. */
export function hintFor({ code, hint }: Pick<KeptError, 'code' | 'hint'>): string | undefined {
  return hint ?? (isErrorCode(code) ? catalog[code].hint : undefined);
}

/** Describes an error in one line, with its hint if that was made for this one error. */
export function withOwnHint({ code, message, hint }: KeptError): string {
  const said = `${code}: ${sentence(message)}`;
  return hint === undefined ? said : `${said} ${hint}`;
}

/** Describes an error and what to do about it in one line. */
export function withHint({ code, message, hint }: KeptError): string {
  return withOwnHint({ code, message, hint: hintFor({ code, hint }) });
}

/** Returns a text with a full stop at its end. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
