import { catalog, type ErrorCode } from './catalog';
import { withoutSecrets } from './secrets';

/** What an error is about. All fields are safe to show: they contain ids, names and keys, but no secrets. */
export interface ErrorSubject {
  cluster?: string;
  pipeline?: string;
  resolution?: string;
  /** Window that the error is about: `<start>-<end>` in unix seconds, or any other text that identifies the window. */
  window?: string;
  /** Bucket key or local path of the file that the error is about. */
  key?: string;
  /** Path of a setting in the settings file, such as `api.listen`. */
  setting?: string;
  /** Name of the query parameter that the error is about. */
  parameter?: string;
  /** Position of the fault in the file, in bytes. */
  byte?: number;
}

export interface FederationErrorOptions {
  subject?: ErrorSubject;
  /** What happened, in one sentence. Does not include the hint. Secrets in it are replaced with `***`. */
  detail: string;
  /** Hint to show instead of the hint in the catalogue. */
  hint?: string | undefined;
  /** Overrides the `retryable` value in the catalogue. */
  retryable?: boolean;
  /** Time that a server asked us to wait before a retry, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * The error type of Federated ETL. Each error has a code, a subject (what it is about), a detail (what happened) and a
 * hint (what to do). The catalogue says for each code whether a retry may help. The option `retryable` overrides the
 * catalogue.
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
    const detail = withoutSecrets(options.detail);
    super(detail, { cause: options.cause });
    this.code = code;
    this.subject = options.subject ?? {};
    this.detail = detail;
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

/** Returns whether `error` is a FederationError. If `code` is given, the error must also have this code. */
export function isFederationError(error: unknown, code?: ErrorCode): error is FederationError {
  return error instanceof FederationError && (code === undefined || error.code === code);
}

/**
 * Describes a FederationError in readable text: code, what happened, subject and hint. For any other error, returns
 * only its message.
 */
export function describeError(error: unknown): string {
  return errorLines(error).join('\n');
}

/**
 * Returns the lines of `describeError`. A line break within one of them comes from the error's detail or subject, so
 * from outside, and must not begin another line.
 */
export function errorLines(error: unknown): string[] {
  if (!(error instanceof FederationError))
    return [withoutSecrets(error instanceof Error ? error.message : String(error))];
  const subject = Object.entries(error.subject)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  // Only this code has one line for each fault. They are about settings of this machine.
  const detail = error.code === 'SETTINGS_INVALID' ? error.detail.split('\n') : [error.detail];
  const last = `${detail.pop() ?? ''}${subject ? ` (${withoutSecrets(subject)})` : ''}`;
  const [first = '', ...others] = [...detail, last];
  return [`${error.code}: ${first}`, ...others, ...`  ${error.hint}`.split('\n')];
}
