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
 * What is needed to restore a cluster's own file from a merged file: where its records are in the merged file, and
 * whatever the merged file does not contain unchanged. It can be stored as JSON without loss, because it has only ASCII
 * texts and integers.
 */
export interface Contribution {
  id: string;
  /** Number of records in the cluster's file. */
  records: number;
  /** Number of entries in the cluster's byte range of the merged file. */
  entries: number;
  /** Byte offset, in the merged file, of the cluster's entries (keys and records). */
  offset: number;
  /** Length of the cluster's entries in bytes. */
  length: number;
  /**
   * Which entries of the cluster's range differ from the ones in its own file: their indexes, counted from 0 in the
   * range.
   */
  altered: number[];
  /**
   * Which entries of the cluster's own file are not in the merged file unchanged: their positions in the cluster's
   * file.
   */
  changed: number[];
  /** The cluster's set with only the `changed` entries, as an ETL file in base64. */
  rest: string;
  /**
   * Whether externalKeys and idleKeys are omitted from `rest`. They are if they equal what `markedNames` computes from
   * the records.
   */
  marksOmitted: boolean;
}

/** A merged file and the contributions to it, in the order of folding. */
export interface EncodedMerge {
  bytes: Buffer;
  contributions: Contribution[];
}

/** Encodes a merged set as a file. The bytes depend only on the inputs and their order. */
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

/** Encodes the `rest` of a contribution. `set` is the cluster's set with only the `changed` entries. */
export function encodeRest(set: EtlSet, marksOmitted: boolean): string {
  return encodeSet(marksOmitted ? withoutMarks(set) : set).toString('base64');
}

/**
 * Restores a cluster's ETL file from a merged file. The restored set has the same content as the set that was merged,
 * with its records in the same order.
 *
 * @param merged the merged file as `encodeMerged` wrote it
 * @param contribution the cluster's contribution, which `encodeMerged` returned along with that file
 * @throws FederationError with an ETL_* code if `merged` and `contribution` do not belong together
 */
export function extractContribution<P extends Pipeline>(
  pipeline: P,
  merged: Uint8Array,
  contribution: Contribution,
): Buffer {
  return encodeSet(extractSet(pipeline, merged, contribution));
}

/** Does the same as `extractContribution`, but returns the set instead of a file. */
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

/**
 * Puts a cluster's entries back into their original order: the changed ones at `places`, the others in the gaps between
 * them.
 */
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
