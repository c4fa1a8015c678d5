/** Formats a number with its noun, such as `1 window` or `2 windows`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/**
 * Formats the numbers that are not 0, each with its noun, such as `1 quarantined source, 2 shrunk sources`. The nouns
 * are the keys. Returns an empty string if all numbers are 0.
 */
export function counts(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .filter(([, number]) => number !== 0)
    .map(([noun, number]) => count(number, noun))
    .join(', ');
}

/** Sources of a generation that a person should look at. */
export interface SourcesToSee {
  /** Number of quarantined sources of included clusters, not counting sources that a person has dropped. */
  readonly quarantined: number;
  /** Number of sources that lost much of their data, but were merged because their windows were not closed yet. */
  readonly shrunk: number;
}

/** Describes the sources that a person should look at, such as `1 quarantined source, 2 shrunk sources`. */
export function describeSourcesToSee({ quarantined, shrunk }: SourcesToSee): string {
  return counts({ 'quarantined source': quarantined, 'shrunk source': shrunk });
}
