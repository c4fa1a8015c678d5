import type { ByteString } from '../byte-string';
import { expandWindow } from '../merge-window';
import type { EtlSet, SetOf } from '../model';
import { setWindow } from '../set-facts';
import type { Pipeline } from '../window';
import type { Entry, WalkedEntries } from './walk-file';

/** What a source says of itself. */
export interface InputFacts {
  /** How many records it has; keys without a record do not count. */
  readonly records: number;
  /** The window that its set says, in unix seconds; open sides are left out. */
  readonly window: { start?: number; end?: number };
}

/** Where entries stand in what their input was added from: its own file, or the previous merged file. */
export interface AgainRange {
  /** Which input it is, counted from 0 in the order of adding. */
  readonly input: number;
  readonly offset: number;
  readonly length: number;
}

/** Entries that were let go of after they were walked over: where they are read again, and what becomes of their strings. */
export interface Again {
  readonly range: AgainRange;
  /** How many strings the table has that its indexes are of. */
  readonly strings: number;
  /** The merged table's indexes: by index of its own table, or of the strings that it uses in their order of first use. */
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
  /** By place: the identity of its record as an index of the merged table; -1 where there is no record. */
  readonly identities: Int32Array;
  /** Places of entries that are decoded and merged by the rules; all others pass as they are. */
  readonly special: Set<number>;
  /** Of them, by place, those that are decoded. */
  readonly decoded: Map<number, Entry<P>>;
  /** Names of the records that are marked as idle or external, in order, as indexes of the merged table. */
  readonly marked: number[];
  /** The bytes of its entries, by now with indexes of the merged table; or where they are found again. */
  readonly held: Buffer | Again;
}

export function factsOf({ entries, facts }: SplicedInput<Pipeline>): InputFacts {
  return { records: entries.records, window: setWindow(facts) };
}

/** How many entries there are. */
export function countOf({ entries }: SplicedInput<Pipeline>): number {
  return entries.starts.length - 1;
}

/** The special places, ascending. */
export function specialPlaces({ special }: SplicedInput<Pipeline>): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Lets nothing of an input pass. */
export function takeAll(input: SplicedInput<Pipeline>): void {
  for (let place = 0; place < countOf(input); place++) input.special.add(place);
}

/** The set of an input with just these entries. */
export function withEntries<P extends Pipeline>(
  { facts, hasMap }: SplicedInput<P>,
  entries: readonly Entry<P>[],
): SetOf[P] {
  const records = new Map<ByteString, Entry<P>['record']>(entries.map(({ key, record }) => [key, record]));
  return { ...facts, [facts.kind]: hasMap ? records : null };
}

/** Whether the window of what passes, which is that of the first record, has to be expanded to the merged set's. */
export function isExpanded(input: SplicedInput<Pipeline>, merged: EtlSet): boolean {
  if (input.special.size === countOf(input)) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
