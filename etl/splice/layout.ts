import type { FoldedInput } from '../fold';
import type { Pipeline } from '../window';
import { countOf, specialPlaces, type SplicedInput } from './spliced-input';
import type { WalkedFile } from './walk-file';

/** What a slice of a merged file is cut from: a buffer, or the entries of an input. */
type Origin<P extends Pipeline> = Buffer | SplicedInput<P>;

interface Part<P extends Pipeline> {
  readonly of: Origin<P>;
  readonly from: number;
  to: number;
}

/** The list of slices that make up a merged file, in order. Adjacent slices are joined. */
export class Layout<P extends Pipeline> {
  /** Total length of the slices in bytes. */
  length = 0;
  private readonly parts: Part<P>[] = [];

  add(of: Origin<P>, from: number, to: number): void {
    if (from === to) return;
    this.length += to - from;
    const last = this.parts.at(-1);
    if (last?.of === of && last.to === from) last.to = to;
    else this.parts.push({ of, from, to });
  }

  /** Returns the inputs of which the merged file has slices, in the order of their first slices. */
  inputs(): SplicedInput<P>[] {
    const found = new Set<SplicedInput<P>>();
    for (const { of } of this.parts) if (!(of instanceof Uint8Array)) found.add(of);
    return [...found];
  }

  /**
   * Yields the bytes of each slice.
   *
   * @param bytesOf returns an input's entries; called for all slices of one input before the next input
   */
  *bytes(bytesOf: (input: SplicedInput<P>) => Buffer): Generator<Buffer> {
    for (const { of, from, to } of this.parts) {
      const bytes = of instanceof Uint8Array ? of : bytesOf(of);
      yield bytes.subarray(from, to);
    }
  }
}

/** Entries of the file that encodes the merged special records, which is in memory. They are consumed in order. */
export class OwnEntries {
  private next = 0;

  constructor(private readonly file: WalkedFile) {}

  /** Appends the next entry to the layout. */
  addNext(layout: Layout<Pipeline>): void {
    const { bytes, first, starts } = this.file;
    layout.add(bytes, first + starts[this.next]!, first + starts[this.next + 1]!);
    this.next++;
  }
}

/** Those fields of a contribution that say where an input's entries are in the merged file. */
export interface Placed {
  readonly entries: number;
  readonly altered: number[];
  readonly changed: number[];
}

/**
 * Appends an input's entries to the merged file. Entries that pass through become slices of the input. Special records
 * whose identity was first met in this input are appended as they were merged.
 *
 * @param folded what became of the input's special entries; its positions count only special entries
 */
export function placeEntries(
  layout: Layout<Pipeline>,
  input: SplicedInput<Pipeline>,
  folded: FoldedInput,
  own: OwnEntries,
): Placed {
  const { starts } = input.entries;
  const places = specialPlaces(input);
  const [gone, alteredOwn] = [new Set(folded.gone), new Set(folded.altered)];
  const altered: number[] = [];
  let entries = 0;
  let ownEntries = 0;
  let place = 0;
  const passTo = (end: number) => {
    layout.add(input, starts[place]!, starts[end]!);
    entries += end - place;
    place = end;
  };
  places.forEach((special, index) => {
    passTo(special);
    place = special + 1;
    if (gone.has(index)) return;
    own.addNext(layout);
    if (alteredOwn.has(ownEntries)) altered.push(entries);
    ownEntries++;
    entries++;
  });
  passTo(countOf(input));
  return { entries, altered, changed: folded.changed.map((index) => places[index]!) };
}
