import { distance } from 'fastest-levenshtein';

/** A known name. `far` is its Levenshtein distance from the name searched for: the number of characters to change. */
export interface NearestName {
  readonly name: string;
  readonly far: number;
}

/**
 * Returns the known name closest to `name`, for "did you mean"; the first one if several are equally close. It is
 * case-sensitive. Returns undefined if there are no known names. The time is proportional to the length of `name`: cut
 * names that strangers send.
 */
export function nearestName(name: string, known: readonly string[]): NearestName | undefined {
  let nearest: NearestName | undefined;
  for (const other of known) {
    const far = distance(name, other);
    if (nearest === undefined || far < nearest.far) nearest = { name: other, far };
  }
  return nearest;
}
