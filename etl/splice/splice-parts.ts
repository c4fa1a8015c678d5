import type { FoldedInput } from '../fold';
import type { Pipeline } from '../window';
import { specialPlaces, type SplicedInput } from './spliced-input';
import type { WalkedFile } from './walk-file';

/** A file in parts: slices of buffers, in order. Slices that follow one another in one buffer become one. */
export class PartList {
  readonly parts: Buffer[] = [];
  /** The bytes of all parts. */
  length = 0;
  private last: { bytes: Buffer; from: number; to: number } | undefined;

  add(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.length += to - from;
    if (this.last?.bytes === bytes && this.last.to === from) {
      this.last.to = to;
      this.parts[this.parts.length - 1] = bytes.subarray(this.last.from, to);
      return;
    }
    this.last = { bytes, from, to };
    this.parts.push(bytes.subarray(from, to));
  }
}

/** The file of the merged special records, of which entries are taken from the first to the last. */
export class OwnEntries {
  private next = 0;

  constructor(private readonly file: WalkedFile) {}

  /** Appends the next entry. */
  addNext(list: PartList): void {
    const { bytes, starts } = this.file;
    list.add(bytes, starts[this.next]!, starts[this.next + 1]!);
    this.next++;
  }
}

/** What of an input stands in the merged file, as a contribution says it. */
export interface Placed {
  readonly entries: number;
  readonly altered: number[];
  readonly changed: number[];
}

/**
 * Appends the entries that an input gives to the merged file: those that pass as slices of its own file, the special ones
 * that were met first there as they were merged.
 *
 * @param folded what became of its special entries, counted among these
 */
export function placeEntries(
  list: PartList,
  input: SplicedInput<Pipeline>,
  folded: FoldedInput,
  own: OwnEntries,
): Placed {
  const { bytes, starts } = input.file;
  const places = specialPlaces(input);
  const [gone, alteredOwn] = [new Set(folded.gone), new Set(folded.altered)];
  const altered: number[] = [];
  let entries = 0;
  let ownEntries = 0;
  let place = 0;
  const passTo = (end: number) => {
    list.add(bytes, starts[place]!, starts[end]!);
    entries += end - place;
    place = end;
  };
  places.forEach((special, index) => {
    passTo(special);
    place = special + 1;
    if (gone.has(index)) return;
    own.addNext(list);
    if (alteredOwn.has(ownEntries)) altered.push(entries);
    ownEntries++;
    entries++;
  });
  passTo(starts.length - 1);
  return { entries, altered, changed: folded.changed.map((index) => places[index]!) };
}
