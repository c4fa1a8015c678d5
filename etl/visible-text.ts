/**
 * Characters that control a terminal, or that make a text look like a different text: control characters (C0, DEL
 * and C1, which begin ANSI and OSC sequences), those that change the direction of text or mark a second text above it,
 * the two line separators, those that are invisible (such as the zero width space), and halves of a character, which
 * turn into the replacement character when they are written.
 */
const hidden = /[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

/** Returns a text with every such character written as an escape, such as `\u001b`. Line breaks are escaped, too. */
export function visibleText(text: string): string {
  return text.replace(hidden, (character) => escapeOf(character, '\\u'));
}

/** Like `visibleText`, but leaves line breaks as they are. JSON remains equal JSON. */
export function visibleLines(text: string): string {
  return linesWith(text, '\\u');
}

/** Like `visibleLines`, for metrics in the Prometheus format, in which a backslash in a label has to be doubled. */
export function visibleMetrics(text: string): string {
  return linesWith(text, '\\\\u');
}

/** Characters that have a meaning within a line of Markdown, and those that make a bare address a link. */
const markdown = /[\\`*_[\]<>|~&]|(?<=:)\/(?=\/)|(?<=\bwww)\./gi;

/**
 * Like `visibleText`, for a text from outside that is shown as Markdown, as Temporal's UI shows summaries and details.
 * The text looks as it was written, and becomes neither a link nor an image.
 */
export function literalMarkdown(text: string): string {
  return visibleText(text).replace(markdown, '\\$&');
}

function linesWith(text: string, begin: string): string {
  return text.replace(hidden, (character) => (character === '\n' ? character : escapeOf(character, begin)));
}

/** Escapes each code unit, because JSON has no other escapes. */
function escapeOf(character: string, begin: string): string {
  return character
    .split('')
    .map((unit) => `${begin}${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
