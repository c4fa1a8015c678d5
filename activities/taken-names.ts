import { absent, keptVersion } from '../federation/decision';
import { describeTakenSource, type NameRules, namesOfOthers, nameTaken } from '../federation/name-conflicts';
import type { PreviousContributions } from './previous-contributions';
import type { BadFinding } from './quarantine';
import type { WindowSource } from './window-sources';

/** The facts that decide whether a file is held back because its cluster carries other clusters' names. */
export interface NamesContext {
  readonly previous: PreviousContributions;
  /** The owners of the cluster names, and the clusters that carry other clusters' names. */
  readonly rules: NameRules;
}

/**
 * Returns whether a file must not be merged because its cluster carries other clusters' names. A file that has already
 * been merged is not held back.
 */
export function isHeldBack(context: NamesContext, source: WindowSource): boolean {
  return (
    isFile(source) &&
    Object.hasOwn(context.rules.nameConflicts, source.cluster) &&
    !isAsBefore(context, source)
  );
}

/**
 * Finds the sources that are bad because their clusters carry other clusters' names. Reads no files: it finds a source
 * only if its names are known from the plan or from the cluster's last contribution.
 */
export function findTaken(context: NamesContext, sources: readonly WindowSource[]): BadFinding[] {
  return sources.flatMap((source) => {
    const merged = context.previous.taken.get(source.cluster);
    const isKept = keptVersion(source.decision) !== undefined;
    if (merged !== undefined && (isKept || isAsBefore(context, source)))
      return takenFinding(context, source, merged);
    return isHeldBack(context, source) && source.names !== undefined
      ? takenFinding(context, source, source.names)
      : [];
  });
}

/** Describes a source with these cluster names, some of which belong to other clusters. */
export function takenFinding(
  { rules }: NamesContext,
  source: WindowSource,
  carried: readonly string[],
): BadFinding {
  const names = namesOfOthers(source.cluster, carried, rules);
  return { source, names, code: nameTaken, detail: describeTakenSource(source.cluster, names, rules) };
}

/** Returns whether the window's last object was merged from the same version of the file. */
function isAsBefore({ previous }: NamesContext, source: WindowSource): boolean {
  const before = previous.base?.sources.find(({ cluster }) => cluster === source.cluster);
  return before !== undefined && isFile(before) && isFile(source) && before.seen === source.seen;
}

/** Returns whether the merge uses the cluster's own file, and not a kept contribution or nothing. */
function isFile({ seen, decision }: Pick<WindowSource, 'seen' | 'decision'>): boolean {
  return seen !== absent && (decision === 'used' || decision === 'accepted');
}
