import { distance } from 'fastest-levenshtein';

/** A known name, and the number of characters to change to get to it (Levenshtein distance). */
export interface NearestName {
  readonly name: string;
  readonly far: number;
}

/**
 * The known name closest to `name`, for "did you mean"; the first of several. Case counts. Undefined if nothing is
 * known. Takes time in proportion to the length of `name`: cut what strangers send.
 */
export function nearestName(name: string, known: readonly string[]): NearestName | undefined {
  let nearest: NearestName | undefined;
  for (const other of known) {
    const far = distance(name, other);
    if (nearest === undefined || far < nearest.far) nearest = { name: other, far };
  }
  return nearest;
}
