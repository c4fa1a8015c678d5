import { randomInt } from 'node:crypto';
import { styleText } from 'node:util';
import { ownValue } from '../etl/own-value';
import { visibleText } from '../etl/visible-text';

/** What a colour says. */
export type Meaning = 'good' | 'attention' | 'bad' | 'heading';

const styles = { good: 'green', attention: 'yellow', bad: 'red', heading: 'bold' } as const satisfies Record<
  Meaning,
  string
>;

/** The words for states and outcomes that are coloured, each with its meaning. No other words are coloured. */
const meanings: Readonly<Record<string, Meaning>> = {
  complete: 'good',
  partial: 'attention',
  'on-hold': 'attention',
  cancelled: 'attention',
  failed: 'bad',
  died: 'bad',
  late: 'attention',
  gone: 'bad',
  missing: 'bad',
  paused: 'attention',
  never: 'attention',
  excluded: 'attention',
  removed: 'attention',
  kept: 'attention',
  refused: 'bad',
  shrunk: 'attention',
  waiting: 'attention',
};

const words = Object.keys(meanings).join('|');
/**
 * Matches the word for a state at the beginning of a text or right after an opening parenthesis, as in `5h ago (late)`.
 */
const state = new RegExp(`(?<=^|\\()(?:${words})(?=$|[\\s:,;)])`, 'g');

/**
 * Marks the codes of our own colours, until they are written. It differs in each process, so no text from outside can
 * pass as a colour. A terminal code may have several numbers, so what measures a text skips a marked code, too.
 */
const mark = `;${randomInt(1_000, 10_000)};${randomInt(1_000, 10_000)}m`;
const markedCode = new RegExp(`(\u001b\\[\\d+)${mark}`);

/** Returns lines as they may be written to a terminal, each with a line break after it. See `terminalText`. */
export function terminalLines(lines: readonly string[]): string {
  return `${lines.map(terminalText).join('\n')}\n`;
}

/**
 * Returns a line as it may be written to a terminal: with the colours of `paint`, and with every other character that
 * the terminal would obey escaped.
 */
export function terminalText(text: string): string {
  const [first = '', ...others] = text.split(markedCode);
  return others.reduce(
    (shown, part, index) => shown + (index % 2 === 0 ? `${part}m` : visibleText(part)),
    visibleText(first),
  );
}

/**
 * Colours a text for a stream. (Default: standard output) Changes nothing if the stream is not a terminal, or if
 * `NO_COLOR` is set; `FORCE_COLOR` overrides both. Write it with `print` or `printNote`.
 */
export function paint(meaning: Meaning, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const coloured = styleText(styles[meaning], visibleText(text), { stream });
  return coloured.replace(/(\u001b\[\d+)m/g, `$1${mark}`);
}

/** Colours the words for states in a text: at its beginning, and in parentheses. */
export function paintState(text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return text.replace(state, (word) => paint(ownValue(meanings, word) ?? 'heading', word, stream));
}
