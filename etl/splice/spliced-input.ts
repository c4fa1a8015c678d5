import type { ByteString } from '../byte-string';
import type { Measure } from '../measure';
import { type RecordOf, type SetOf, withRecords } from '../model';
import { setWindow } from '../set-facts';
import { expandWindow } from '../time-window';
import type { Pipeline } from '../window';
import type { Walk } from './walk';
import { decodeEntry, type Entry, type WalkedEntries } from './walk-file';

/** Facts about an input, taken from its file. */
export interface InputFacts {
  readonly measure: Measure;
  /** Window of the set in unix seconds. `start` or `end` is absent if the window is open on that side. */
  readonly window: { start?: number; end?: number };
}

/**
 * Byte range of an input's entries in the file that they came from: the input's own file, or the previous merged file.
 */
export interface AgainRange {
  /** Index of the input, in the order in which inputs were added. */
  readonly input: number;
  readonly offset: number;
  readonly length: number;
  /** CRC-32 of the bytes. */
  readonly crc: number;
}

/** Where to read entries again after their bytes were freed, and how to renumber their string indexes. */
export interface Again {
  readonly range: AgainRange;
  /** Number of strings in the table that the entries' string indexes refer to. */
  readonly strings: number;
  /**
   * String indexes in the merged file. If `by` is `index`, element i is for the string with index i in the table that
   * the entries' string indexes refer to. If `by` is `order`, element i is for the i-th string that the entries use, in
   * the order of first use.
   */
  readonly indexes: Int32Array;
  readonly by: 'index' | 'order';
}

/** One input of a splice. */
export interface SplicedInput<P extends Pipeline> {
  readonly id: string;
  readonly entries: WalkedEntries;
  /** The set without its records. `hasMap` is true if the set has a map of records, even an empty one. */
  readonly facts: SetOf[P];
  readonly hasMap: boolean;
  /**
   * For each entry, the identity of its record, as a string index in the merged file. -1 if the entry has no record.
   */
  readonly identities: Int32Array;
  /** Indexes of the entries that are decoded and merged. All other entries are copied without decoding. */
  readonly special: Set<number>;
  /** Those `special` entries that have been decoded so far, keyed by their index in the input. */
  readonly decoded: Map<number, Entry<P>>;
  /** The identities that contain a mark, such as `__idle__`, in record order, as string indexes in the merged file. */
  readonly marked: number[];
  /**
   * The encoded entries. Their string indexes already refer to the string table of the merged file. If these bytes were
   * freed: where to read the entries again.
   */
  readonly held: Buffer | Again;
}

export function factsOf<P extends Pipeline>({ entries, facts }: SplicedInput<P>): InputFacts {
  return { measure: entries.measure, window: setWindow(facts) };
}

/** Returns the number of entries of an input. */
export function countOf({ entries }: { readonly entries: WalkedEntries }): number {
  return entries.starts.length - 1;
}

/** Returns the indexes of an input's special entries (the entries to decode and merge), in ascending order. */
export function specialPlaces({ special }: { readonly special: ReadonlySet<number> }): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Makes all entries of an input special, so that they are decoded and merged. */
export function takeAll(input: Pick<SplicedInput<Pipeline>, 'entries' | 'special'>): void {
  for (let place = 0; place < countOf(input); place++) input.special.add(place);
}

/**
 * Decodes the entry with index `place`, and stores the result in `decoded`.
 *
 * @param first position of the input's first entry in the bytes of `walk`
 * @param text returns the string for a string index in the entry
 */
export function decodePlace<P extends Pipeline>(
  pipeline: P,
  { entries, decoded }: SplicedInput<P>,
  place: number,
  walk: Walk,
  first: number,
  text: (index: number) => ByteString,
): void {
  const entry = decodeEntry(pipeline, walk, first + entries.starts[place]!, text);
  decoded.set(place, entry);
  if (entry.record !== null) entries.versions[entry.version]!--;
}

/** Returns an input's set, with only the given entries. */
export function withEntries<P extends Pipeline>(
  { facts, hasMap }: SplicedInput<P>,
  entries: readonly Entry<P>[],
): SetOf[P] {
  const records = new Map<ByteString, RecordOf[P] | null>(entries.map(({ key, record }) => [key, record]));
  return withRecords<P>(facts, hasMap ? records : null);
}

/**
 * Returns whether an input's records must be expanded to the window of the merged set, because that window is larger.
 * Checks only the first record, because all records that are copied without decoding have the same window as the first
 * record. Returns false if all entries are already in `special` (the entries to decode and merge).
 */
export function isExpanded<P extends Pipeline>(input: SplicedInput<P>, merged: SetOf[P]): boolean {
  if (input.special.size === countOf(input)) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
