/**
 * Matches a text that a spreadsheet would take for a formula, by its first character, also if that is full-width. The
 * source of the expression is valid in SQL, too.
 */
export const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/;

/** Prefixes a text with an apostrophe if a spreadsheet would otherwise take it for a formula. */
export function guarded(text: string): string {
  return formulaStart.test(text) ? `'${text}` : text;
}
