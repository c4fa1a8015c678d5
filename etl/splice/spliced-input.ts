import type { ByteString } from '../byte-string';
import { type RecordOf, type SetOf, withRecords } from '../model';
import { setWindow } from '../set-facts';
import { expandWindow } from '../time-window';
import type { Pipeline } from '../window';
import type { Walk } from './walk';
import { decodeEntry, type Entry, type WalkedEntries } from './walk-file';

/** Facts about an input that can be read from its file. */
export interface InputFacts {
  /** Number of records. Keys without a record do not count. */
  readonly records: number;
  /** Window of the set in unix seconds. An open side is absent. */
  readonly window: { start?: number; end?: number };
}

/**
 * Byte range of an input's entries in the file from which the input was added: its own file, or the previous merged
 * file.
 */
export interface AgainRange {
  /** Number of the input, counted from 0 in the order in which inputs were added. */
  readonly input: number;
  readonly offset: number;
  readonly length: number;
}

/** For entries that were freed after the walk: where to read them again, and how to renumber their string indexes. */
export interface Again {
  readonly range: AgainRange;
  /** Number of strings in the table to which the string indexes of the entries refer. */
  readonly strings: number;
  /**
   * Indexes in the merged table, one per string of the entries. If `by` is `index`, they are listed by the string's
   * index in the entries' own table; if it is `order`, in the order in which the entries first use the strings.
   */
  readonly indexes: Int32Array;
  readonly by: 'index' | 'order';
}

/** One input of a splice. */
export interface SplicedInput<P extends Pipeline> {
  readonly id: string;
  readonly entries: WalkedEntries;
  /** The set without its records, and whether the set has a map of records. */
  readonly facts: SetOf[P];
  readonly hasMap: boolean;
  /**
   * The identity of each entry's record, as an index in the merged table, by the entry's place; -1 if the entry has no
   * record.
   */
  readonly identities: Int32Array;
  /** Places of the entries that are decoded and merged by the rules. All other entries pass through unchanged. */
  readonly special: Set<number>;
  /** The special entries that have been decoded so far, by place. */
  readonly decoded: Map<number, Entry<P>>;
  /** The identities that contain a mark, in the order of the input's records, as indexes in the merged table. */
  readonly marked: number[];
  /**
   * The bytes of the input's entries, with string indexes that refer to the merged table; or where to read the entries
   * again.
   */
  readonly held: Buffer | Again;
}

export function factsOf<P extends Pipeline>({ entries, facts }: SplicedInput<P>): InputFacts {
  return { records: entries.records, window: setWindow(facts) };
}

/** Returns the number of entries of an input. */
export function countOf({ entries }: { readonly entries: WalkedEntries }): number {
  return entries.starts.length - 1;
}

/** Returns the places of an input's special entries, ascending. */
export function specialPlaces({ special }: { readonly special: ReadonlySet<number> }): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Makes every entry of an input special. */
export function takeAll(input: Pick<SplicedInput<Pipeline>, 'entries' | 'special'>): void {
  for (let place = 0; place < countOf(input); place++) input.special.add(place);
}

/**
 * Decodes the entry at a place (its index in the input), and adds it to `decoded`.
 *
 * @param first position of the input's first entry in the bytes of `walk`
 * @param text returns the string that a string index of the entry refers to
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

/** Returns the set of an input with only the given entries. */
export function withEntries<P extends Pipeline>(
  { facts, hasMap }: SplicedInput<P>,
  entries: readonly Entry<P>[],
): SetOf[P] {
  const records = new Map<ByteString, RecordOf[P] | null>(entries.map(({ key, record }) => [key, record]));
  return withRecords<P>(facts, hasMap ? records : null);
}

/**
 * Whether the merged set has a larger window to which the records that pass through would have to be expanded. All of
 * them have the same window as the input's first record.
 */
export function isExpanded<P extends Pipeline>(input: SplicedInput<P>, merged: SetOf[P]): boolean {
  if (input.special.size === countOf(input)) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
