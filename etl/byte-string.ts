/**
 * A string of an ETL file as the model keeps it: a JS string in which every char is one byte (0 to 255), its
 * latin1 view. It is *not* text: `ü` from a file is two chars here.
 *
 * Why: a file's strings are UTF-8 only normally (writers cut long ones inside a character), and they have to be
 * passed on exactly. In this form nothing is lost, `===` is equality of bytes, `<` is byte order, and reading one
 * is a copy. ASCII constants such as `__idle__` can be compared with it directly. Two functions lead out and in:
 * `displayText` to show one to a person, `toByteString` for text that comes from elsewhere.
 */
export type ByteString = string;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const beyondAscii = /[^\0-\x7f]/;

/** The text for a person: UTF-8 decoded, each maximal part that is not UTF-8 as one U+FFFD. */
export function displayText(bytes: ByteString): string {
  return beyondAscii.test(bytes) ? decoder.decode(Buffer.from(bytes, 'latin1')) : bytes;
}

/** The byte string of a text, as UTF-8. */
export function toByteString(text: string): ByteString {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** `Array.sort` comparison in plain byte order. */
export function byteOrder(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
