import { addAllocations } from './add-allocations';
import { addAssets } from './add-assets';
import { assetIdentity } from './asset-identity';
import type { ByteString } from './byte-string';
import { foldRecords, type FoldedInput } from './fold';
import { expandWindow, spanOf } from './merge-window';
import {
  type Allocation,
  type AllocationSet,
  type AssetSet,
  type EtlSet,
  recordsOf,
  type SetOf,
  type TimeWindow,
} from './model';
import { highestVersion } from './set-codec';
import type { Pipeline } from './window';

/** One cluster's set of the window. */
export interface MergeInput<S extends EtlSet> {
  id: string;
  set: S;
}

/** What an input became part of, and what of it did not stay as it came. */
export interface MergedInput<S extends EtlSet> extends MergeInput<S>, FoldedInput {}

/** A merged set and what each input gave, in the order of the inputs. */
export interface Merged<S extends EtlSet> {
  set: S;
  inputs: MergedInput<S>[];
}

/**
 * Merges the sets of one window into one, as OpenCost's set types do when they are folded one after another.
 * Records pass as they are, those of the first input first; where two are the same, the later is added to the one
 * met first, which keeps its place. The rules are in docs/design/etl-format.md. Nothing given is changed.
 *
 * @param inputs at least one, in the order of folding (ids in byte order, for a result that can be repeated)
 */
export function mergeSets<P extends Pipeline>(
  pipeline: P,
  inputs: readonly MergeInput<SetOf[P]>[],
): Merged<SetOf[P]> {
  if (inputs.length === 0) throw new RangeError('Nothing to merge.');
  const merge = pipeline === 'allocations' ? mergeAllocationSets : mergeAssetSets;
  const { set, folded } = (merge as unknown as Merger<SetOf[P]>)(inputs.map((input) => input.set));
  // Without records nothing says a version but the sets themselves.
  const version = highestVersion(set) || Math.max(...inputs.map((input) => input.set.version));
  return {
    set: { ...set, version },
    inputs: inputs.map((input, index) => ({
      ...input,
      ...(folded[index] ?? { entries: 0, altered: [], changed: [], gone: [] }),
    })),
  };
}

type Merger<S extends EtlSet> = (sets: readonly S[]) => { set: S; folded: FoldedInput[] };

const mergeAllocationSets: Merger<AllocationSet> = (sets) => {
  const filled = sets.filter(hasRecords);
  const window = spanOf((filled.length > 0 ? filled : sets).map((set) => set.window));
  const { records, inputs } = foldRecords(
    sets.map((set) => set.allocations),
    {
      identity: (record) => record.name,
      add: addAllocations,
      expand: (record) => expanded(record, window),
    },
  );
  const set: AllocationSet = {
    kind: 'allocations',
    version: 0,
    allocations: records,
    ...markedNames(records),
    ...setFacts(sets, window),
  };
  return { set, folded: inputs };
};

const mergeAssetSets: Merger<AssetSet> = (sets) => {
  const windows = sets.map((set) => set.window);
  const window = spanOf(windows);
  const windowsSoFar = windows.map((_, index) => spanOf(windows.slice(0, index + 1)));
  const aggregationKeys = sets.find((set) => set.aggregationKeys?.length)?.aggregationKeys ?? null;
  const { records, inputs } = foldRecords(
    sets.map((set) => set.assets),
    {
      identity: (record) => assetIdentity(record, aggregationKeys),
      add: (a, b, index) => addAssets(a, b, windowsSoFar[index] ?? window),
      expand: (record) => expanded(record, window),
    },
  );
  const set: AssetSet = {
    kind: 'assets',
    version: 0,
    aggregationKeys,
    assets: records,
    ...setFacts(sets, window),
  };
  return { set, folded: inputs };
};

function expanded<R extends { window: TimeWindow }>(record: R, by: TimeWindow): R {
  const window = expandWindow(record.window, by);
  return window === record.window ? record : { ...record, window };
}

function setFacts(sets: readonly EtlSet[], window: TimeWindow) {
  const sources = new Set(sets.filter(hasRecords).map((set) => set.fromSource));
  const [source] = sources;
  return {
    fromSource: sources.size === 1 && source !== undefined ? source : '',
    window,
    warnings: union(sets.map((set) => set.warnings)),
    errors: union(sets.map((set) => set.errors)),
  };
}

/** A key without a record does not count. */
function hasRecords(set: EtlSet): boolean {
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) return true;
  }
  return false;
}

/** In order, without repeats; null when all are. */
function union(lists: readonly (readonly ByteString[] | null)[]): ByteString[] | null {
  if (lists.every((list) => list === null)) return null;
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

/** The names of external and of idle records, as an allocation set lists them. */
export function markedNames(
  records: ReadonlyMap<ByteString, Allocation | null>,
): Pick<AllocationSet, 'externalKeys' | 'idleKeys'> {
  const externalKeys = new Map<ByteString, boolean>();
  const idleKeys = new Map<ByteString, boolean>();
  for (const record of records.values()) {
    if (record?.name.includes('__external__')) externalKeys.set(record.name, true);
    if (record?.name.includes('__idle__')) idleKeys.set(record.name, true);
  }
  return { externalKeys, idleKeys };
}
