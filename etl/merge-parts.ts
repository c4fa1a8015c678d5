import type { ByteString } from './byte-string';

/*
 * Small rules that the additions of allocations and of assets share.
 */

/** A text that both sides have, else the empty one. */
export function kept(a: ByteString, b: ByteString): ByteString {
  return a === b ? a : '';
}

/** The mean of two values by their weights; 0 where the weights sum to 0. */
export function weighted(a: number, weightA: number, b: number, weightB: number): number {
  const weight = weightA + weightB;
  return weight === 0 ? 0 : (a * weightA + b * weightB) / weight;
}

/** The sum, where a missing side counts as 0 and both missing give null. */
export function sumOrNull(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}
