import type { ByteString } from './byte-string';
import { decodeSet, encodeSet, encodeSetWithOffsets } from './file';
import { hasMarks, markedNames, withoutMarks } from './marks';
import type { Merged, MergedInput } from './merge';
import { type EtlSet, type RecordMap, type RecordOf, recordsOf, type SetOf, withRecords } from './model';
import { pipelineSpecs, specOf } from './pipelines';
import { Reader } from './reader';
import { corrupt } from './refusal';
import { readEntries } from './set-codec';
import { recordCount } from './set-facts';
import { hasTable, readTable } from './string-table';
import type { Pipeline } from './window';

/**
 * Where a cluster's records are in a merged file, and what else is needed to restore its file. Survives
 * JSON: it has only ASCII texts and integers.
 */
export interface Contribution {
  id: string;
  /** The number of records in the cluster's file. */
  records: number;
  /** The number of entries in its byte range of the merged file. */
  entries: number;
  /** The byte offset of its entries (keys and records) in the merged file. */
  offset: number;
  /** Their length in bytes. */
  length: number;
  /** The entries of the range, counted from 0, that differ from the cluster's own. */
  altered: number[];
  /** Positions in the cluster's file of the entries that are not in the merged file unchanged. */
  changed: number[];
  /** The cluster's set with only those entries: an ETL file in base64. */
  rest: string;
  /** Whether `rest` omits externalKeys and idleKeys because they are exactly the marked names. */
  marksOmitted: boolean;
}

/** A merged file and the contributions in it, in the order of folding. */
export interface EncodedMerge {
  bytes: Buffer;
  contributions: Contribution[];
}

/** Writes a merged set. The bytes depend only on the inputs and their order. */
export function encodeMerged<S extends EtlSet>(merged: Merged<S>): EncodedMerge {
  const { bytes, offsets } = encodeSetWithOffsets(merged.set);
  let first = 0;
  const contributions = merged.inputs.map((input) => {
    const offset = offsets[first] ?? 0;
    first += input.entries;
    return contributionOf(input, offset, (offsets[first] ?? offset) - offset);
  });
  return { bytes, contributions };
}

function contributionOf<S extends EtlSet>(
  input: MergedInput<S>,
  offset: number,
  length: number,
): Contribution {
  const records = recordsOf(input.set);
  const changed = new Set(input.changed);
  const left = records && new Map([...records].filter((_, place) => changed.has(place)));
  const marksOmitted = hasMarks<Pipeline>(input.set, markedNames(specOf(input.set), records));
  return {
    id: input.id,
    records: recordCount(input.set),
    entries: input.entries,
    offset,
    length,
    altered: input.altered,
    changed: input.changed,
    rest: encodeRest(withRecords(input.set, left), marksOmitted),
    marksOmitted,
  };
}

/** The `rest` of a contribution, from the cluster's set with only the entries of `changed`. */
export function encodeRest(set: EtlSet, marksOmitted: boolean): string {
  return encodeSet(marksOmitted ? withoutMarks(set) : set).toString('base64');
}

/**
 * Restores a cluster's ETL file from a merged file: a set with the same content as the one
 * that was merged, with the records in the same order.
 *
 * @param merged the merged file as `encodeMerged` wrote it
 * @param contribution the cluster's, returned by `encodeMerged` along with that file
 * @throws FederationError with an ETL_* code if the two do not belong together
 */
export function extractContribution<P extends Pipeline>(
  pipeline: P,
  merged: Uint8Array,
  contribution: Contribution,
): Buffer {
  return encodeSet(extractSet(pipeline, merged, contribution));
}

/** The same as a set. */
export function extractSet<P extends Pipeline>(
  pipeline: P,
  merged: Uint8Array,
  contribution: Contribution,
): SetOf[P] {
  const rest = decodeSet(pipeline, Buffer.from(contribution.rest, 'base64'));
  const altered = new Set(contribution.altered);
  const asTheyCame = entriesInRange(pipeline, merged, contribution).filter((_, index) => !altered.has(index));
  const left = recordsOf<P>(rest);
  const placed = inPlace(asTheyCame, [...(left ?? [])], new Set(contribution.changed));
  const records = left === null && placed.size === 0 ? null : placed;
  const set = withRecords<P>(rest, records);
  return contribution.marksOmitted ? { ...set, ...markedNames(pipelineSpecs[pipeline], records) } : set;
}

type Entry<P extends Pipeline> = [ByteString, RecordOf[P] | null];

/** The entries of the original file: changed ones at `places`, the others in between. */
function inPlace<P extends Pipeline>(
  asTheyCame: Entry<P>[],
  changed: Entry<P>[],
  places: ReadonlySet<number>,
): RecordMap<RecordOf[P]> {
  const [kept, other] = [asTheyCame.values(), changed.values()];
  const entries: Entry<P>[] = [];
  for (let place = 0; place < asTheyCame.length + changed.length; place++) {
    const { value } = (places.has(place) ? other : kept).next();
    if (value !== undefined) entries.push(value);
  }
  return new Map(entries);
}

function entriesInRange<P extends Pipeline>(pipeline: P, merged: Uint8Array, contribution: Contribution) {
  const inside = Number.isSafeInteger(contribution.offset) && contribution.offset >= 0;
  if (!inside) throw corrupt(0, `A contribution cannot start at byte ${contribution.offset}.`);
  const reader = new Reader(merged);
  if (hasTable(merged)) readTable(reader);
  reader.position = contribution.offset;
  const entries = readEntries(pipeline, reader, contribution.entries);
  const end = contribution.offset + contribution.length;
  if (reader.position !== end) throw corrupt(reader.position, `The contribution should end at byte ${end}.`);
  return entries;
}
