/** Returns a pseudo-random number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** Returns a pseudo-random integer from 0 (inclusive) to `below` (exclusive). */
export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** Returns a pseudo-random element of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[integer(random, list.length)]!;
}
