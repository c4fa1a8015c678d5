/**
 * Compares two texts by their UTF-16 code units. Unlike a comparison by locale, this gives the same order on every
 * machine.
 */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
