import { count } from '../federation/count';
import type { Check, Outcome } from '../operator/doctor/check';
import { type Meaning, paint } from './colour';
import { print } from './output';

const marks: Record<Outcome, string> = {
  ok: '✓ ok',
  warning: '! warning',
  failed: '✗ FAILED',
  skipped: '- skipped',
  'not needed': '- not needed',
};
const meanings: Partial<Record<Outcome, Meaning>> = { ok: 'good', warning: 'attention', failed: 'bad' };
const markWidth = Math.max(...Object.values(marks).map(({ length }) => length)) + 2;

/** Prints all checks of one kind below a heading. Wraps lines at `width` columns. */
export function showChecks(checks: readonly Check[], width: number): void {
  const [first] = checks;
  if (first === undefined) return;
  print('', paint('heading', `${first.check.charAt(0).toUpperCase()}${first.check.slice(1)}`));
  let at: string | undefined;
  for (const { subject, place, outcome, detail, todo } of together(checks)) {
    if (place !== at && place !== undefined) print(`  in ${place}`);
    at = place;
    const indent = ' '.repeat(2 + markWidth);
    const [line = '', ...lines] = wrap(
      subject === undefined ? detail : `${subject}: ${detail}`,
      width - indent.length,
    );
    const [mark, meaning] = [marks[outcome].padEnd(markWidth), meanings[outcome]];
    print(
      `  ${meaning === undefined ? mark : paint(meaning, mark)}${line}`,
      ...lines.map((more) => `${indent}${more}`),
    );
    if (todo === undefined) continue;
    const steps = wrap(todo, width - indent.length - 7);
    print(...steps.map((step, index) => `${indent}${index === 0 ? 'to do: ' : ' '.repeat(7)}${step}`));
  }
}

/** Returns one line that summarizes the outcomes of all checks. */
export function verdict(checks: readonly Check[]): string {
  const number = (outcome: Outcome) => checks.filter((one) => one.outcome === outcome).length;
  const [failures, warnings, skipped] = [number('failed'), number('warning'), number('skipped')];
  const parts = [
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  const rest = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  return failures > 0 ? `Action needed${rest}.` : `No check failed${rest}.`;
}

/**
 * Combines consecutive checks into one if they have the same outcome (skipped or not needed) and the same explanation.
 */
function together(checks: readonly Check[]): Check[] {
  const lines: Check[] = [];
  for (const one of checks) {
    const last = lines.at(-1);
    const same =
      (one.outcome === 'skipped' || one.outcome === 'not needed') &&
      last?.outcome === one.outcome &&
      last.detail === one.detail &&
      last.place === one.place;
    if (same) lines[lines.length - 1] = { ...last, subject: `${last.subject}, ${one.subject}` };
    else lines.push(one);
  }
  return lines;
}

/** Wraps a text at `width` columns. Does not split a word that is longer than `width`, so that users can copy it. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let at = '';
  for (const word of text.split(/\s+/)) {
    if (at !== '' && at.length + 1 + word.length > width) {
      lines.push(at);
      at = '';
    }
    at = at === '' ? word : `${at} ${word}`;
  }
  return [...lines, at];
}
