import type { ByteString } from './byte-string';
import { decodeSet, encodeSet, encodeSetWithOffsets } from './file';
import { hasMarks, markedNames, withoutMarks } from './marks';
import type { Measure } from './measure';
import type { Merged, MergedInput } from './merge';
import { type EtlSet, type RecordMap, type RecordOf, recordsOf, type SetOf, withRecords } from './model';
import { pipelineSpecs, specOf } from './pipelines';
import { Reader } from './reader';
import { corrupt } from './refusal';
import { readEntries } from './set-codec';
import { measureOf, recordClusters } from './set-facts';
import { hasTable, readTable } from './string-table';
import type { Pipeline } from './window';

/**
 * One cluster's contribution to a merged file. Together with the merged file, it is enough to restore the cluster's own
 * file. It says which bytes of the merged file are the cluster's entries. It also contains the original of each entry
 * that the merge changed or dropped, and the fields of the cluster's set. It can be stored as JSON without loss.
 */
export interface Contribution {
  id: string;
  measure: Measure;
  /** The cluster names in the records of the cluster's file, as readable text, in byte order. */
  names: string[];
  /** Number of entries in the cluster's byte range of the merged file. An entry is a key and its record. */
  entries: number;
  /** Byte offset at which the cluster's byte range starts in the merged file. */
  offset: number;
  /** Length of the cluster's byte range in the merged file, in bytes. */
  length: number;
  /**
   * Entries of the cluster's byte range that differ from the cluster's own file. Each is given by its index in the
   * range, counted from 0.
   */
  altered: number[];
  /**
   * Entries of the cluster's own file that the merge changed or dropped. Each is given by its index in the cluster's
   * own file, counted from 0.
   */
  changed: number[];
  /** An ETL file in base64: the cluster's set with only its `changed` entries. */
  rest: string;
  /**
   * True if `rest` omits the lists externalKeys and idleKeys, because `markedNames` computes equal lists from the
   * records.
   */
  marksOmitted: boolean;
}

/** A merged file, and the contribution of each input, in merge order. */
export interface EncodedMerge {
  bytes: Buffer;
  contributions: Contribution[];
}

/** Encodes a merged set as a file. The same inputs in the same order always produce the same bytes. */
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
    measure: measureOf(input.set),
    names: recordClusters(input.set),
    entries: input.entries,
    offset,
    length,
    altered: input.altered,
    changed: input.changed,
    rest: encodeRest(withRecords(input.set, left), marksOmitted),
    marksOmitted,
  };
}

/** Encodes the field `rest` of a contribution. `set` is the cluster's set with only the entries listed in `changed`. */
export function encodeRest(set: EtlSet, marksOmitted: boolean): string {
  return encodeSet(marksOmitted ? withoutMarks(set) : set).toString('base64');
}

/**
 * Restores a cluster's own ETL file from a merged file. The restored file has the same content as the original one,
 * with the records in the same order. Its bytes may differ.
 *
 * @param merged a merged file that `encodeMerged` returned
 * @param contribution the cluster's contribution to that file
 * @throws FederationError with an ETL_* code if the contribution does not belong to that file
 */
export function extractContribution<P extends Pipeline>(
  pipeline: P,
  merged: Uint8Array,
  contribution: Contribution,
): Buffer {
  return encodeSet(extractSet(pipeline, merged, contribution));
}

/** Restores a cluster's set from a merged file. Does the same as `extractContribution`, but does not encode the set. */
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
 * Restores the original order of a cluster's entries. Puts the changed entries at the indexes in `places`, and fills
 * the gaps with the unchanged entries.
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
