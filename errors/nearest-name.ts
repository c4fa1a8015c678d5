import { distance } from 'fastest-levenshtein';

/** A known name. `far` is its Levenshtein distance from the name searched for: the number of characters to change. */
export interface NearestName {
  readonly name: string;
  readonly far: number;
}

/**
 * Returns the known name closest to `name`, for messages such as "did you mean …?". If several are equally close,
 * returns the first; if no names are known, returns undefined. The comparison is case-sensitive. It takes time
 * proportional to the length of `name`, so truncate names from untrusted callers first.
 */
export function nearestName(name: string, known: readonly string[]): NearestName | undefined {
  let nearest: NearestName | undefined;
  for (const other of known) {
    const far = distance(name, other);
    if (nearest === undefined || far < nearest.far) nearest = { name: other, far };
  }
  return nearest;
}
