import { distance } from 'fastest-levenshtein';

/**
 * A known name, and its Levenshtein distance (`far`) from the given name: the number of characters to insert, delete or
 * replace.
 */
export interface NearestName {
  readonly name: string;
  readonly far: number;
}

/**
 * Returns the known name closest to `name`, for messages such as "did you mean …?". If several names are equally close,
 * returns the first of them. Returns undefined if `known` is empty. The comparison is case-sensitive. It is slow for
 * long names, so truncate names from untrusted sources first.
 */
export function nearestName(name: string, known: readonly string[]): NearestName | undefined {
  let nearest: NearestName | undefined;
  for (const other of known) {
    const far = distance(name, other);
    if (nearest === undefined || far < nearest.far) nearest = { name: other, far };
  }
  return nearest;
}
