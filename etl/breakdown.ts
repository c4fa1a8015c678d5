import { embedded, f64, optional } from './codec';
import { adding, described, type Description, field, nothingOwn } from './field';
import { weighted } from './merge-parts';
import type { Breakdown } from './model';
import { assetVersions } from './versions';

/** What each side's shares count for. */
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

/** All zeros; of a version that changes no sum's. */
const zeros: Breakdown = { version: 0, idle: 0, other: 0, system: 0, user: 0 };

/** By weight, a missing one as all zeros; `a` as it is when neither has any weight. */
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
