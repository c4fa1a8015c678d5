/** The sentences of warnings, each once. An answer has all of its own in one text, with semicolons between them. */
export function warningsOf(texts: readonly (string | undefined)[]): string[] {
  const sentences = texts
    .flatMap((text) => (text ?? '').split('; '))
    .filter((sentence) => sentence !== '')
    .map((sentence) => `${sentence.replace(/\.$/, '')}.`);
  return [...new Set(sentences)];
}
