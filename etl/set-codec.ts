import { allocation, allocationVersion } from './allocation-codec';
import { asset, assetVersion } from './asset-codec';
import type { ByteString } from './byte-string';
import { bool, type Codec, embedded, list, map, optional, str } from './codec';
import type { Allocation, AllocationSet, Asset, AssetSet, EtlSet, SetOf } from './model';
import type { Reader } from './reader';
import { window } from './time-codec';
import { allocationVersions, assetVersions } from './versions';
import type { Pipeline } from './window';
import type { Writer } from './writer';

type RecordMap<T> = Map<ByteString, T | null>;

const strings = list(str);
const marks = map(bool);
const allocationEntry = optional(embedded(allocation));
const allocationMap = map(allocationEntry);
/** The compatibility word stands behind the type name here, so `asset` brings it along. */
const assetEntry = optional(asset);

/** What stands before the records of a set (behind its version), as an entry's record, and behind the records. */
export const setLayouts: Record<Pipeline, SetLayout> = {
  allocations: { before: [], record: allocationEntry, after: [marks, marks, str, window, strings, strings] },
  assets: { before: [strings], record: assetEntry, after: [str, window, strings, strings] },
};

export interface SetLayout {
  readonly before: readonly Codec<unknown>[];
  readonly record: Codec<unknown>;
  readonly after: readonly Codec<unknown>[];
}

/** Reads a set from its version byte on, table and end of the file aside. */
export function readSet<P extends Pipeline>(pipeline: P, reader: Reader): SetOf[P] {
  const set: EtlSet = pipeline === 'allocations' ? readAllocationSet(reader) : readAssetSet(reader);
  return set as SetOf[P];
}

/** Reads a set of allocations without keeping its records: each is given to `visit` as it comes, in the order of the file. */
export function scanAllocationSet(
  reader: Reader,
  visit: (key: ByteString, record: Allocation | null, count: number) => void,
): AllocationSet {
  return readAllocationSet(reader, visiting(allocationEntry, visit));
}

/** Reads a set without its records, which the reader passes over to where they end; the set has null for them. */
export function readSetAround<P extends Pipeline>(pipeline: P, reader: Reader, recordsEnd: number): SetOf[P] {
  const passOver = (from: Reader) => {
    from.position = recordsEnd;
    return null;
  };
  const set: EtlSet =
    pipeline === 'allocations' ? readAllocationSet(reader, passOver) : readAssetSet(reader, passOver);
  return set as SetOf[P];
}

/** A map that is not kept; it is null or empty. */
function visiting<T>(
  codec: Codec<T>,
  visit: (key: ByteString, value: T, count: number) => void,
): (reader: Reader) => Map<ByteString, T> | null {
  return (reader) => {
    if (!reader.bool()) return null;
    const count = reader.count(str.least + codec.least);
    for (let i = 0; i < count; i++) visit(reader.str(), codec.read(reader), count);
    return new Map();
  };
}

function readAllocationSet(
  reader: Reader,
  readRecords = (from: Reader) => allocationMap.read(from),
): AllocationSet {
  return {
    kind: 'allocations',
    version: reader.version(allocationVersions),
    allocations: readRecords(reader),
    externalKeys: marks.read(reader),
    idleKeys: marks.read(reader),
    fromSource: reader.str(),
    window: window.read(reader),
    warnings: strings.read(reader),
    errors: strings.read(reader),
  };
}

function readAssetSet(reader: Reader, readRecords = (from: Reader) => map(assetEntry).read(from)): AssetSet {
  return {
    kind: 'assets',
    version: reader.version(assetVersions),
    aggregationKeys: strings.read(reader),
    assets: readRecords(reader),
    fromSource: reader.str(),
    window: window.read(reader),
    warnings: strings.read(reader),
    errors: strings.read(reader),
  };
}

/**
 * Reads entries (key and record each) that follow one another, where `reader` stands.
 *
 * @returns the pairs in the order of the file
 */
export function readEntries<P extends Pipeline>(
  pipeline: P,
  reader: Reader,
  count: number,
): [ByteString, RecordOf[P] | null][] {
  const codec = (pipeline === 'allocations' ? allocationEntry : assetEntry) as Codec<RecordOf[P] | null>;
  const entries: [ByteString, RecordOf[P] | null][] = [];
  for (let i = 0; i < count; i++) entries.push([reader.str(), codec.read(reader)]);
  return entries;
}

/** The record type of a pipeline. */
export interface RecordOf {
  allocations: Allocation;
  assets: Asset;
}

/**
 * Writes a set from its version byte on. The byte is raised to the highest version of any structure inside
 * (windows aside), so that a reader that is too old says so at once; no record's own version is touched.
 *
 * @returns the position in the body at which each entry starts, and behind them that at which the last one ends
 */
export function writeSet(writer: Writer, set: EtlSet): number[] {
  writer.u8(Math.max(set.version, highestVersion(set)));
  let offsets: number[];
  if (set.kind === 'allocations') {
    offsets = writeRecords(writer, allocationEntry, set.allocations);
    marks.write(writer, set.externalKeys);
    marks.write(writer, set.idleKeys);
  } else {
    strings.write(writer, set.aggregationKeys);
    offsets = writeRecords(writer, assetEntry, set.assets);
  }
  writer.str(set.fromSource);
  window.write(writer, set.window);
  strings.write(writer, set.warnings);
  strings.write(writer, set.errors);
  return offsets;
}

function writeRecords<T>(writer: Writer, codec: Codec<T | null>, records: RecordMap<T> | null): number[] {
  writer.bool(records !== null);
  if (records !== null) writer.i32(records.size);
  const offsets: number[] = [];
  for (const [key, record] of records ?? []) {
    offsets.push(writer.position);
    writer.str(key);
    codec.write(writer, record);
  }
  offsets.push(writer.position);
  return offsets;
}

/** The highest codec version of the records of a set and their parts, windows aside; 0 without records. */
export function highestVersion(set: EtlSet): number {
  let highest = 0;
  if (set.kind === 'allocations') {
    for (const record of set.allocations?.values() ?? []) {
      if (record !== null) highest = Math.max(highest, allocationVersion(record));
    }
  } else {
    for (const record of set.assets?.values() ?? []) {
      if (record !== null) highest = Math.max(highest, assetVersion(record));
    }
  }
  return highest;
}
