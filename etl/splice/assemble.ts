import { type Contribution, encodeRest } from '../contribution';
import { hasMarks } from '../marks';
import type { Merged } from '../merge';
import type { SetOf } from '../model';
import type { Pipeline } from '../window';
import { Layout, OwnEntries, placeEntries } from './layout';
import type { MergedStrings } from './merged-strings';
import { type SplicedInput, withEntries } from './spliced-input';
import type { WalkedFile } from './walk-file';

/** A merged file as a list of slices. The bytes of the slices have not been copied yet. */
export interface Assembled<P extends Pipeline> {
  readonly layout: Layout<P>;
  /** One contribution per input, in merge order. */
  readonly contributions: readonly Contribution[];
}

/**
 * Assembles the merged file from slices. The string table comes first, then the merged set. Entries that need no change
 * are slices of the inputs. Special records (those that had to be decoded and merged) are slices of `own`.
 *
 * @param merged the result of merging only the special records
 * @param own a file that contains only `merged`. Its string indexes already refer to the string table of the merged
 *   file. This function overwrites the number of entries in `own` with the total for the merged file.
 */
export function assemble<P extends Pipeline>(
  inputs: readonly SplicedInput<P>[],
  merged: Merged<SetOf[P]>,
  own: WalkedFile<P>,
  strings: MergedStrings<P>,
): Assembled<P> {
  const table = strings.table();
  const layout = new Layout<P>();
  layout.add(table, 0, table.length);
  layout.add(own.bytes, own.set, own.first);
  const ownEntries = new OwnEntries(own);
  let total = 0;
  const contributions = inputs.map((input, index): Contribution => {
    const { id, entries, facts, decoded } = input;
    const offset = layout.length;
    const placed = placeEntries(layout, input, merged.inputs[index]!, ownEntries);
    total += placed.entries;
    const rest = withEntries(
      input,
      placed.changed.map((place) => decoded.get(place)!),
    );
    const marksOmitted = hasMarks<P>(facts, strings.markedNames(input.marked));
    return {
      id,
      measure: entries.measure,
      names: [...entries.names],
      ...placed,
      offset,
      length: layout.length - offset,
      rest: encodeRest(rest, marksOmitted),
      marksOmitted,
    };
  });
  layout.add(own.bytes, own.first + own.starts.at(-1)!, own.bytes.length);
  // The 32-bit number of entries comes directly before the first entry.
  own.bytes.writeInt32LE(total, own.first - 4);
  return { layout, contributions };
}
