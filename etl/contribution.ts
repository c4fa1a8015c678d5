import type { ByteString } from './byte-string';
import { decodeSet, encodeSet, encodeSetWithOffsets } from './file';
import { markedNames, type Merged, type MergedInput } from './merge';
import { type Allocation, type Asset, type EtlSet, recordsOf, type SetOf } from './model';
import { Reader } from './reader';
import { corrupt } from './refusal';
import { recordCount } from './set-facts';
import { readEntries } from './set-codec';
import { hasTable, readTable } from './string-table';
import type { Pipeline } from './window';

/**
 * Where one cluster's records are in a merged file, and what is needed besides to have its file back. Survives
 * JSON: there are only ASCII texts and whole numbers in it.
 */
export interface Contribution {
  id: string;
  /** How many records the cluster gave. */
  records: number;
  /** How many entries of the merged file stand in its byte range. */
  entries: number;
  /** Where its entries (keys and records) start in the merged file, in bytes. */
  offset: number;
  /** How many bytes they take. */
  length: number;
  /** Which entries of the range, counted from 0, are not as the cluster gave them. */
  altered: number[];
  /** Places in the cluster's own file of the entries that do not stand in the merged file as they came. */
  changed: number[];
  /** The cluster's set with only those entries, in base64 of its ETL file. */
  rest: string;
  /** Whether `rest` leaves out externalKeys and idleKeys, as they are just the names so marked. */
  marksLeftOut: boolean;
}

/** A merged file and who is where in it, in the order of folding. */
export interface EncodedMerge {
  bytes: Buffer;
  contributions: Contribution[];
}

/** Writes a merged set. The bytes depend on the inputs and their order alone. */
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
  const marksLeftOut = hasUsualMarks(input.set);
  return {
    id: input.id,
    records: recordCount(input.set),
    entries: input.entries,
    offset,
    length,
    altered: input.altered,
    changed: input.changed,
    rest: encodeRest(withRecords<EtlSet>(input.set, left), marksLeftOut),
    marksLeftOut,
  };
}

/** The `rest` of a contribution, of the cluster's set with only the entries of `changed`. */
export function encodeRest(set: EtlSet, marksLeftOut: boolean): string {
  const rest =
    set.kind === 'allocations' && marksLeftOut ? { ...set, externalKeys: null, idleKeys: null } : set;
  return encodeSet(rest).toString('base64');
}

/**
 * Whether externalKeys and idleKeys are just what the names of the records say.
 *
 * @param usual what the names say, where the set has not all of its records
 */
export function hasUsualMarks(set: EtlSet, usual?: ReturnType<typeof markedNames>): boolean {
  if (set.kind !== 'allocations') return false;
  usual ??= markedNames(set.allocations ?? new Map());
  return sameMarks(set.externalKeys, usual.externalKeys) && sameMarks(set.idleKeys, usual.idleKeys);
}

function sameMarks(
  marks: ReadonlyMap<ByteString, boolean> | null,
  usual: ReadonlyMap<ByteString, boolean> | null,
): boolean {
  return (
    marks?.size === usual?.size && [...(marks ?? [])].every(([name, marked]) => marked && usual?.has(name))
  );
}

function withRecords<S extends EtlSet>(set: S, records: ReturnType<typeof recordsOf>): S {
  return { ...set, [set.kind]: records };
}

/**
 * The ETL file of one cluster's contribution, taken back out of a merged file: a set that says the same as the one
 * that went into the merge, in the same order of records.
 *
 * @param merged the merged file as `encodeMerged` wrote it
 * @param contribution what `encodeMerged` said about that cluster, of that file
 * @throws FederationError of an ETL_* code when the two do not belong together
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
  const records = inPlace(asTheyCame, [...(recordsOf(rest) ?? [])], new Set(contribution.changed));
  const set = withRecords(rest, recordsOf(rest) === null && records.size === 0 ? null : records);
  return set.kind === 'allocations' && contribution.marksLeftOut
    ? { ...set, ...markedNames(set.allocations ?? new Map()) }
    : set;
}

type Entry = [ByteString, Allocation | Asset | null];

/** The entries of the file as it was: at the places of `changed` those that changed, at the others the rest. */
function inPlace(
  asTheyCame: Entry[],
  changed: Entry[],
  places: ReadonlySet<number>,
): Map<ByteString, Allocation | Asset | null> {
  const [kept, other] = [asTheyCame.values(), changed.values()];
  const entries: Entry[] = [];
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
