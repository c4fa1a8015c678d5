import type { FoldedInput } from '../fold';
import type { Pipeline } from '../window';
import { countOf, specialPlaces, type SplicedInput } from './spliced-input';
import type { WalkedFile } from './walk-file';

/** Source of a slice of a merged file: a buffer, or the entries of an input. */
type Origin<P extends Pipeline> = Buffer | SplicedInput<P>;

interface Part<P extends Pipeline> {
  readonly of: Origin<P>;
  readonly from: number;
  to: number;
}

/**
 * The slices that make up a merged file, in order. If a slice continues the previous slice of the same source, the two
 * are joined.
 */
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

  /** Returns the inputs that contribute slices to the merged file, in the order of their first slices. */
  inputs(): SplicedInput<P>[] {
    const found = new Set<SplicedInput<P>>();
    for (const { of } of this.parts) if (!(of instanceof Uint8Array)) found.add(of);
    return [...found];
  }

  /**
   * Yields the bytes of each slice, in order.
   *
   * @param bytesOf returns the entries of an input. It is called for each slice of an input. All calls for one input
   *   come before those for the next input.
   */
  *bytes(bytesOf: (input: SplicedInput<P>) => Buffer): Generator<Buffer> {
    for (const { of, from, to } of this.parts) {
      const bytes = of instanceof Uint8Array ? of : bytesOf(of);
      yield bytes.subarray(from, to);
    }
  }
}

/**
 * Iterator over the entries of an in-memory file. The file contains only the special records (those that had to be
 * decoded), after they have been merged.
 */
export class OwnEntries {
  private next = 0;

  constructor(private readonly file: WalkedFile) {}

  /** Appends the next entry to `layout`. */
  addNext(layout: Layout<Pipeline>): void {
    const { bytes, first, starts } = this.file;
    layout.add(bytes, first + starts[this.next]!, first + starts[this.next + 1]!);
    this.next++;
  }
}

/** Fields of a contribution that describe an input's entries in the merged file. */
export interface Placed {
  readonly entries: number;
  readonly altered: number[];
  readonly changed: number[];
}

/**
 * Appends the entries of an input to the merged file. Entries that need no change become slices of the input. Special
 * entries (those that had to be decoded) are replaced with their merged form from `own`. A special entry is omitted if
 * it has no record, or if its record was added to an earlier record.
 *
 * @param folded says which special entries of the input were changed or dropped; its indexes count only special entries
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
