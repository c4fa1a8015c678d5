/**
 * Splits texts into warnings and returns each warning once, as a sentence. Each text contains all warnings of one
 * answer, which the API joins with semicolons.
 */
export function warningsOf(texts: readonly (string | undefined)[]): string[] {
  const sentences = texts
    .flatMap((text) => (text ?? '').split('; '))
    .filter((sentence) => sentence !== '')
    .map((sentence) => `${sentence.replace(/\.$/, '')}.`);
  return [...new Set(sentences)];
}
