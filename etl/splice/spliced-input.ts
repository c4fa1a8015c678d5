import type { ByteString } from '../byte-string';
import { expandWindow } from '../merge-window';
import type { EtlSet, SetOf } from '../model';
import { setWindow } from '../set-facts';
import type { Pipeline } from '../window';
import type { Entry, WalkedFile } from './walk-file';

/** What a source says of itself. */
export interface InputFacts {
  /** How many records it has; keys without a record do not count. */
  readonly records: number;
  /** The window that its set says, in unix seconds; open sides are left out. */
  readonly window: { start?: number; end?: number };
}

/** One input of a splice. Its file's string indexes are those of the merged table by now. */
export interface SplicedInput<P extends Pipeline> {
  readonly id: string;
  readonly file: WalkedFile<P>;
  /** Places of entries that are decoded and merged by the rules; all others pass as they are. */
  readonly special: Set<number>;
  /** Of them, by place, those that are decoded. */
  readonly decoded: Map<number, Entry<P>>;
  /** Names of the records that are marked as idle or external, in order, as indexes of the merged table. */
  readonly marked: number[];
}

export function factsOf({ file }: SplicedInput<Pipeline>): InputFacts {
  return { records: file.records, window: setWindow(file.facts) };
}

/** The special places, ascending. */
export function specialPlaces({ special }: SplicedInput<Pipeline>): number[] {
  return [...special].sort((a, b) => a - b);
}

/** Lets nothing of an input pass. */
export function takeAll({ file, special }: SplicedInput<Pipeline>): void {
  for (let place = 0; place < file.starts.length - 1; place++) special.add(place);
}

/** The set of an input with just these entries. */
export function withEntries<P extends Pipeline>(
  { file }: SplicedInput<P>,
  entries: readonly Entry<P>[],
): SetOf[P] {
  const records = new Map<ByteString, Entry<P>['record']>(entries.map(({ key, record }) => [key, record]));
  return { ...file.facts, [file.facts.kind]: file.hasMap ? records : null };
}

/** Whether the window of what passes, which is that of the first record, has to be expanded to the merged set's. */
export function isExpanded(input: SplicedInput<Pipeline>, merged: EtlSet): boolean {
  if (input.special.size === input.file.starts.length - 1) return false;
  const first = specialPlaces(input)
    .map((place) => input.decoded.get(place)?.record ?? null)
    .find((record) => record !== null);
  return first !== undefined && expandWindow(first.window, merged.window) !== first.window;
}
