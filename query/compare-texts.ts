/** Orders texts by their code units: the same everywhere, as an order by language is not. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
