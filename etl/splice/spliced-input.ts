import type { ByteString } from '../byte-string';
import { type RecordOf, type SetOf, withRecords } from '../model';
import { setWindow } from '../set-facts';
import { expandWindow } from '../time-window';
import type { Pipeline } from '../window';
import type { Walk } from './walk';
import { decodeEntry, type Entry, type WalkedEntries } from './walk-file';

/** Facts that a source states about itself. */
export interface InputFacts {
  /** The number of its records; keys without a record do not count. */
  readonly records: number;
  /** The window of its set, in unix seconds; open sides are absent. */
  readonly window: { start?: number; end?: number };
}

/** Where entries are in the file that their input was added from: its own file, or the previous merged file. */
export interface AgainRange {
  /** The index of the input, in the order of adding. */
  readonly input: number;
  readonly offset: number;
  readonly length: number;
}

/** Entries that were freed after the walk: where to read them again, and how to renumber their strings. */
export interface Again {
  readonly range: AgainRange;
  /** The size of the table that their string indexes refer to. */
  readonly strings: number;
  /** Indexes in the merged table: by index in their own table, or by the order in which the entries first use the strings. */
  readonly indexes: Int32Array;
  readonly by: 'index' | 'order';
}

/** One input of a splice. */
export interface SplicedInput<P extends Pipeline> {
  readonly id: string;
  readonly entries: WalkedEntries;
  /** The set without its records, and whether it has a map of them. */
  readonly facts: SetOf[P];
  readonly hasMap: boolean;
  /** By place: the identity of the record as an index of the merged table; -1 if the entry has no record. */
  readonly identities: Int32Array;
  /** Places of entries that are decoded and merged by the rules; all others pass through unchanged. */
  readonly special: Set<number>;
  /** By place: the special entries that are decoded so far. */
  readonly decoded: Map<number, Entry<P>>;
  /** Identities of its records that contain a mark, in order, as indexes of the merged table. */
  readonly marked: number[];
  /** The bytes of its entries, renumbered for the merged table; or where to read them again. */
  readonly held: Buffer | Again;
}

export function factsOf<P extends Pipeline>({ entries, facts }: SplicedInput<P>): InputFacts {
  return { records: entries.records, window: setWindow(facts) };
}

/** The number of entries. */
export function countOf({ entries }: { readonly entries: WalkedEntries }): number {
  return entries.starts.length - 1;
}

/** The special places, ascending. */
export function specialPlaces({ special }: { readonly special: ReadonlySet<number> }): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Makes every entry of an input special. */
export function takeAll(input: Pick<SplicedInput<Pipeline>, 'entries' | 'special'>): void {
  for (let place = 0; place < countOf(input); place++) input.special.add(place);
}

/**
 * Decodes the entry at a place.
 *
 * @param first where the first entry starts in the bytes of `walk`
 * @param text the strings that the entry's indexes refer to
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

/** The set of an input with only these entries. */
export function withEntries<P extends Pipeline>(
  { facts, hasMap }: SplicedInput<P>,
  entries: readonly Entry<P>[],
): SetOf[P] {
  const records = new Map<ByteString, RecordOf[P] | null>(entries.map(({ key, record }) => [key, record]));
  return withRecords<P>(facts, hasMap ? records : null);
}

/** Whether the window of the records that pass, which is the first record's, has to be expanded to the merged set's. */
export function isExpanded<P extends Pipeline>(input: SplicedInput<P>, merged: SetOf[P]): boolean {
  if (input.special.size === countOf(input)) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
