import { describeError, FederationError } from '../../errors/federation-error';
import { sentence } from '../../errors/hints';

export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped' | 'not needed';

/** The output of `doctor --json`. */
export interface DoctorReport {
  readonly checks: readonly Check[];
  /** True if no check failed and nothing interrupted the checks. */
  readonly ok: boolean;
}

/** One check and its result: a line of the output, and an entry of `checks` in the JSON output. */
export interface Check {
  /** The area that the check belongs to. */
  readonly check: 'settings' | 'local ETL' | 'bucket' | 'Temporal' | 'clusters';
  /** What was checked, such as an operation or a folder. */
  readonly subject?: string;
  /** Prefix in the bucket that was checked. Set only for checks of the bucket. */
  readonly place?: string;
  readonly outcome: Outcome;
  /** What the check found, in one or more sentences. */
  readonly detail: string;
  /** How to fix what was found. */
  readonly todo?: string;
}

/** Creates a failed check from an error. The detail and the hint are taken from the error. */
export function failed(check: Check['check'], subject: string, error: unknown): Check {
  if (!(error instanceof FederationError))
    return { check, subject, outcome: 'failed', detail: sentence(describeError(error)) };
  const { code, hint, subject: about } = error;
  const where = [about.setting, about.key].filter(
    (text) => text !== undefined && text !== '' && !error.detail.includes(text),
  );
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return {
    check,
    subject,
    outcome: 'failed',
    detail: `${code}: ${sentence(error.detail)}${place}`,
    todo: hint,
  };
}
