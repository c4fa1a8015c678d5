import type { TableView } from './string-union';

/**
 * The entries of a string table that contain a text, ascending; an entry may come twice.
 *
 * @param text ASCII
 */
export function* entriesWith({ bytes, starts }: TableView, text: string): Generator<number> {
  const strings = bytes.subarray(0, starts[starts.length - 1]);
  let at = strings.indexOf(text, starts[0], 'latin1');
  while (at >= 0) {
    const entry = entryAt(starts, at);
    // Not if it spans two entries and the length between them.
    if (at >= starts[entry]! + 2 && at + text.length <= starts[entry + 1]!) yield entry;
    at = strings.indexOf(text, at + 1, 'latin1');
  }
}

/** The entry that contains a position. */
function entryAt(starts: Int32Array, position: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
