import { styleText } from 'node:util';
import { ownValue } from '../etl/own-value';

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
 * Colours a text for a stream. (Default: standard output) Changes nothing if the stream is not a terminal, or if
 * `NO_COLOR` is set; `FORCE_COLOR` overrides both.
 */
export function paint(meaning: Meaning, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(styles[meaning], text, { stream });
}

/** Colours the words for states in a text: at its beginning, and in parentheses. */
export function paintState(text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return text.replace(state, (word) => paint(ownValue(meanings, word) ?? 'heading', word, stream));
}
