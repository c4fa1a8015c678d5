/** Splits warnings into sentences, without duplicates. The API joins all warnings of an answer with semicolons. */
export function warningsOf(texts: readonly (string | undefined)[]): string[] {
  const sentences = texts
    .flatMap((text) => (text ?? '').split('; '))
    .filter((sentence) => sentence !== '')
    .map((sentence) => `${sentence.replace(/\.$/, '')}.`);
  return [...new Set(sentences)];
}
