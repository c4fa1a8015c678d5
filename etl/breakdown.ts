import { embedded, f64, optional } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { weighted } from './merge-parts';
import type { Breakdown } from './model';
import { assetVersions } from './versions';

/** Weights for averaging two breakdowns. */
interface Weights {
  readonly a: number;
  readonly b: number;
}

function share(a: number, b: number, weights: Weights): number {
  return weighted(a, weights.a, b, weights.b);
}

const fields = {
  idle: field(f64, share),
  other: field(f64, share),
  system: field(f64, share),
  user: field(f64, share),
} satisfies Description<Breakdown, Weights>;

/** Codec of a breakdown. Null means that the asset has none. */
export const breakdown = optional(embedded(described<Breakdown>(assetVersions, fields)));

const add = adding<Breakdown, Weights, typeof fields>(fields, nothingOwn);

/**
 * Takes the place of a missing breakdown when two breakdowns are added. Because its version is 0, the sum gets the
 * version of the other breakdown.
 */
const zeros: Breakdown = { version: 0, idle: 0, other: 0, system: 0, user: 0 };

/**
 * Returns the weighted mean of two breakdowns. A missing breakdown (null) counts as all zeros. Returns null if both are
 * missing. If the weights sum to 0 or less, returns `a` unchanged, even if it is null.
 */
export function addBreakdowns(
  a: Breakdown | null,
  weightA: number,
  b: Breakdown | null,
  weightB: number,
): Breakdown | null {
  if (weightA + weightB <= 0) return a;
  if (a === null && b === null) return null;
  return add(a ?? zeros, b ?? zeros, { a: weightA, b: weightB });
}
