import { describeError, FederationError } from '../../errors/federation-error';

export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped' | 'not needed';

/** One thing that `doctor` looked at: a line for people, an entry of `checks` in its JSON. */
export interface Check {
  /** What it belongs to. */
  readonly check: 'settings' | 'local ETL' | 'bucket' | 'Temporal' | 'clusters';
  /** What was looked at. */
  readonly subject?: string;
  /** Of the bucket: below which prefix. */
  readonly place?: string;
  readonly outcome: Outcome;
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** A check that ended with an error: its sentence and what it says to do. */
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
