import { describeError, FederationError } from '../../errors/federation-error';

export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped' | 'not needed';

/** What `doctor --json` prints. */
export interface DoctorReport {
  readonly checks: readonly Check[];
  /** Nothing failed, and nothing interrupted it. */
  readonly ok: boolean;
}

/** One thing that `doctor` looked at: a line for people, an entry of `checks` in its JSON. */
export interface Check {
  /** The part that it belongs to. */
  readonly check: 'settings' | 'local ETL' | 'bucket' | 'Temporal' | 'clusters';
  /** The thing that was checked, such as an operation or a folder. */
  readonly subject?: string;
  /** The prefix in the bucket, for checks of the bucket. */
  readonly place?: string;
  readonly outcome: Outcome;
  /** The finding, in a sentence. */
  readonly detail: string;
  /** How to fix it. */
  readonly todo?: string;
}

/** A check that ended with an error: its detail and its hint. */
export function failed(check: Check['check'], subject: string, error: unknown): Check {
  if (!(error instanceof FederationError))
    return { check, subject, outcome: 'failed', detail: sentence(describeError(error)) };
  const { code, hint, subject: about } = error;
  const where = [about.setting, about.key].filter((text) => text !== undefined && text !== '');
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return {
    check,
    subject,
    outcome: 'failed',
    detail: `${code}: ${sentence(error.detail)}${place}`,
    todo: hint,
  };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
