import type { ByteString } from '../byte-string';
import { type RecordOf, type SetOf, withRecords } from '../model';
import { setWindow } from '../set-facts';
import { expandWindow } from '../time-window';
import type { Pipeline } from '../window';
import type { Walk } from './walk';
import { decodeEntry, type Entry, type WalkedEntries } from './walk-file';

/** What an input says about itself. */
export interface InputFacts {
  /** Number of records. Keys without a record do not count. */
  readonly records: number;
  /** Window of the set in unix seconds. Open sides are absent. */
  readonly window: { start?: number; end?: number };
}

/** Where entries are in the file from which their input was added: its own file, or the previous merged file. */
export interface AgainRange {
  /** Index of the input, in the order in which inputs were added. */
  readonly input: number;
  readonly offset: number;
  readonly length: number;
}

/** Where to read entries again that were freed after the walk, and how to renumber their strings. */
export interface Again {
  readonly range: AgainRange;
  /** Number of strings in the table that the string indexes of the entries refer to. */
  readonly strings: number;
  /**
   * Indexes in the merged table. They are listed by index in the entries' own table (`by` is `index`), or in the order
   * in which the entries first use the strings (`order`).
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
   * By the entry's place: the identity of its record, as an index in the merged table; -1 if the entry has no record.
   */
  readonly identities: Int32Array;
  /** Places of the entries that are decoded and merged by the rules. All others pass through unchanged. */
  readonly special: Set<number>;
  /** The special entries that have been decoded so far, by place. */
  readonly decoded: Map<number, Entry<P>>;
  /** Those identities of the input's records that contain a mark, in order, as indexes in the merged table. */
  readonly marked: number[];
  /** The bytes of the input's entries, renumbered for the merged table, or where to read them again. */
  readonly held: Buffer | Again;
}

export function factsOf<P extends Pipeline>({ entries, facts }: SplicedInput<P>): InputFacts {
  return { records: entries.records, window: setWindow(facts) };
}

/** Returns the number of entries. */
export function countOf({ entries }: { readonly entries: WalkedEntries }): number {
  return entries.starts.length - 1;
}

/** Returns the places of the special entries, ascending. */
export function specialPlaces({ special }: { readonly special: ReadonlySet<number> }): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Makes every entry of an input special. */
export function takeAll(input: Pick<SplicedInput<Pipeline>, 'entries' | 'special'>): void {
  for (let place = 0; place < countOf(input); place++) input.special.add(place);
}

/**
 * Decodes the entry at a place and adds it to `decoded`.
 *
 * @param first where the first entry starts in the bytes of `walk`
 * @param text returns the string that one of the entry's indexes refers to
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
 * Whether the records that pass through would have to be changed because the merged set has a larger window. They all
 * have the window of the input's first record.
 */
export function isExpanded<P extends Pipeline>(input: SplicedInput<P>, merged: SetOf[P]): boolean {
  if (input.special.size === countOf(input)) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
