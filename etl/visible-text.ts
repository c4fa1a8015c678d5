/**
 * Characters that control a terminal, or that make a text look like a different text: control characters (C0, DEL
 * and C1, which begin ANSI and OSC sequences), those that change the direction of text, and the two line separators.
 */
const hidden = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Returns a text with every such character written as an escape, such as `\u001b`. Line breaks are escaped, too. */
export function visibleText(text: string): string {
  return text.replace(hidden, (character) => escapeOf(character, '\\u'));
}

/**
 * Like `visibleText`, but leaves line breaks as they are. JSON remains equal JSON.
 *
 * @param begin the beginning of an escape; in metrics, a backslash has to be doubled
 */
export function visibleLines(text: string, begin = '\\u'): string {
  return text.replace(hidden, (character) => (character === '\n' ? character : escapeOf(character, begin)));
}

function escapeOf(character: string, begin: string): string {
  return `${begin}${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
