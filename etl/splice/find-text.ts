import type { TableView } from './string-union';

/**
 * Finds the strings of a table that contain `text`, which must be ASCII. Yields their indexes in ascending order. If a
 * string contains the text more than once, its index is yielded once per occurrence.
 */
export function* entriesWith({ bytes, starts }: TableView, text: string): Generator<number> {
  const strings = bytes.subarray(0, starts[starts.length - 1]);
  let at = strings.indexOf(text, starts[0], 'latin1');
  while (at >= 0) {
    const entry = entryAt(starts, at);
    // Skip a match that overlaps a length field, because it is not inside a single string.
    if (at >= starts[entry]! + 2 && at + text.length <= starts[entry + 1]!) yield entry;
    at = strings.indexOf(text, at + 1, 'latin1');
  }
}

/** Returns the index of the string whose table entry contains the byte at `position`. */
function entryAt(starts: Int32Array, position: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
