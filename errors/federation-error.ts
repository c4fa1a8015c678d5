import { catalog, type ErrorCode } from './catalog';

/** What an error is about. Every field is safe to show: ids, names and keys, never a secret. */
export interface ErrorSubject {
  cluster?: string;
  pipeline?: string;
  resolution?: string;
  /** `<start>-<end>` in unix seconds, or any text that names the window. */
  window?: string;
  /** A bucket key, or the path of a local file. */
  key?: string;
  /** Path of a setting in the settings file. */
  setting?: string;
  /** Name of a query parameter. */
  parameter?: string;
  /** Offset of the fault in the file, in bytes. */
  byte?: number;
}

export interface FederationErrorOptions {
  subject?: ErrorSubject;
  /** What happened, in one sentence, not including the hint. */
  detail: string;
  /** Hint to show instead of the catalogue's, if the caller knows a better one. */
  hint?: string;
  /** Overrides `retryable` of the code's entry in the catalogue. */
  retryable?: boolean;
  /** Time to wait before a retry, as requested by the server, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * The only error type of Federated ETL. It has a stable code, a subject, what happened and what to do. The code's entry
 * in the catalogue says whether a retry can help, unless `retryable` overrides it.
 */
export class FederationError extends Error {
  override readonly name = 'FederationError';
  readonly code: ErrorCode;
  readonly subject: ErrorSubject;
  readonly detail: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: FederationErrorOptions) {
    super(options.detail, { cause: options.cause });
    this.code = code;
    this.subject = options.subject ?? {};
    this.detail = options.detail;
    this.hint = options.hint ?? catalog[code].hint;
    this.retryable = options.retryable ?? catalog[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Returns a copy of this error with additional subject fields. Fields that are already set keep their values. */
  about(subject: ErrorSubject): FederationError {
    return new FederationError(this.code, {
      subject: { ...subject, ...this.subject },
      detail: this.detail,
      hint: this.hint,
      retryable: this.retryable,
      retryAfterMs: this.retryAfterMs,
      cause: this.cause,
    });
  }
}

/** Whether `error` is a catalogued error. If a code is given, the error must also have this code. */
export function isFederationError(error: unknown, code?: ErrorCode): error is FederationError {
  return error instanceof FederationError && (code === undefined || error.code === code);
}

/** Describes an error in a paragraph for people: code, what happened, subject and hint. */
export function describeError(error: unknown): string {
  if (!(error instanceof FederationError)) return error instanceof Error ? error.message : String(error);
  const subject = Object.entries(error.subject)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return `${error.code}: ${error.detail}${subject ? ` (${subject})` : ''}\n  ${error.hint}`;
}
