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

/** One input of a merge: a cluster's id, and the cluster's set of the window. */
export interface MergeInput<S extends EtlSet> {
  id: string;
  set: S;
}

/** One input of a merge, with information about how the merge treated its entries. */
export interface MergedInput<S extends EtlSet> extends MergeInput<S>, FoldedInput {}

/**
 * A merged set, with information about how the merge treated the entries of each input. The inputs are in merge order.
 */
export interface Merged<S extends EtlSet> {
  set: S;
  inputs: MergedInput<S>[];
}

/**
 * Merges the sets of one window by the rules of OpenCost. Most records are copied unchanged, in the order of the
 * inputs. If a record has the same identity as an earlier record, it is added to the earlier one, which keeps its
 * position. Does not change the inputs. docs/design/etl-format.md lists the rules, and their differences from OpenCost.
 *
 * @param inputs at least one input, sorted by id in byte order, so that the result is reproducible
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
  // If the merged set has no records, use the highest version of the input sets.
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

/** Joins lists and removes duplicates. Returns null if all lists are null. */
function union(lists: readonly (readonly ByteString[] | null)[]): ByteString[] | null {
  if (lists.every((list) => list === null)) return null;
  return [...new Set(lists.flatMap((list) => list ?? []))];
}
