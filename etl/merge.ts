import type { ByteString } from './byte-string';
import { type FoldedInput, foldRecords } from './fold';
import { markedNames } from './marks';
import {
  type CommonSet,
  type EtlRecord,
  type EtlSet,
  hasRecords,
  recordsOf,
  type SetOf,
  type TimeWindow,
} from './model';
import { pipelineSpecs } from './pipelines';
import { highestVersion } from './set-codec';
import { expandWindow } from './time-window';
import type { Pipeline } from './window';

/** One cluster's set for the window that is being merged. */
export interface MergeInput<S extends EtlSet> {
  id: string;
  set: S;
}

/** An input of a merge, with what became of its entries. */
export interface MergedInput<S extends EtlSet> extends MergeInput<S>, FoldedInput {}

/** A merged set, with what became of the entries of each input. The inputs are in the order of folding. */
export interface Merged<S extends EtlSet> {
  set: S;
  inputs: MergedInput<S>[];
}

/**
 * Merges the sets of one window. The result is the same as from folding OpenCost's set types one after another. Records
 * pass through unchanged, those of the first input first. If two records have the same identity, the later one is added
 * to the one that was met first, which keeps its position. The rules are in docs/design/etl-format.md. Does not change
 * the inputs.
 *
 * @param inputs at least one, in the order of folding (ids in byte order, so that the result is reproducible)
 */
export function mergeSets<P extends Pipeline>(
  pipeline: P,
  inputs: readonly MergeInput<SetOf[P]>[],
): Merged<SetOf[P]> {
  if (inputs.length === 0) throw new RangeError('Nothing to merge.');
  const spec = pipelineSpecs[pipeline];
  const sets = inputs.map((input) => input.set);
  const { window, facts, identity, add } = spec.merging(sets);
  const { records, inputs: folded } = foldRecords(
    sets.map((set) => recordsOf<P>(set)),
    { identity, add, expand: (record) => expanded(record, window) },
  );
  const merged = {
    kind: pipeline,
    version: 0,
    [pipeline]: records,
    ...facts,
    ...markedNames(spec, records),
    ...commonFacts(sets, window),
  } as unknown as SetOf[P];
  // If there are no records, the merged set gets the highest version of the input sets.
  const version = highestVersion<P>(merged) || Math.max(...sets.map((set) => set.version));
  return {
    set: { ...merged, version },
    inputs: inputs.map((input, index) => ({
      ...input,
      ...(folded[index] ?? { entries: 0, altered: [], changed: [], gone: [] }),
    })),
  };
}

function expanded<R extends EtlRecord>(record: R, by: TimeWindow): R {
  const window = expandWindow(record.window, by);
  return window === record.window ? record : { ...record, window };
}

function commonFacts<P extends Pipeline>(
  sets: readonly SetOf[P][],
  window: TimeWindow,
): Omit<CommonSet, 'version'> {
  const sources = new Set(sets.filter((set) => hasRecords<P>(set)).map((set) => set.fromSource));
  const [source] = sources;
  return {
    fromSource: sources.size === 1 && source !== undefined ? source : '',
    window,
    warnings: union(sets.map((set) => set.warnings)),
    errors: union(sets.map((set) => set.errors)),
  };
}

/** Joins lists, keeping each item once. Returns null if all lists are null. */
function union(lists: readonly (readonly ByteString[] | null)[]): ByteString[] | null {
  if (lists.every((list) => list === null)) return null;
  return [...new Set(lists.flatMap((list) => list ?? []))];
}
