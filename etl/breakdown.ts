import { embedded, f64, optional } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { weighted } from './merge-parts';
import type { Breakdown } from './model';
import { assetVersions } from './versions';

/** The weight of each side's shares. */
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

/** A breakdown, or none. */
export const breakdown = optional(embedded(described<Breakdown>(assetVersions, fields)));

const add = adding<Breakdown, Weights, typeof fields>(fields, nothingOwn);

/** All zeros. Version 0 never raises the version of a sum. */
const zeros: Breakdown = { version: 0, idle: 0, other: 0, system: 0, user: 0 };

/** The weighted mean, with a missing side as all zeros; `a` unchanged if neither has any weight. */
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
