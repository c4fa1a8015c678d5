/**
 * A string of an ETL file as it is in the model: a JS string in which every char is one byte (0 to 255), its
 * latin1 view. It is *not* text: `ü` from a file is two chars here.
 *
 * Why: the strings of a file are not always UTF-8 (writers cut long ones inside a character), and they have to be
 * passed on exactly. In this form nothing is lost, `===` compares bytes, `<` is byte order, and reading one
 * is a copy. ASCII constants such as `__idle__` can be compared with it directly. Two functions convert:
 * `displayText` to text for people, `toByteString` from text that comes from elsewhere.
 */
export type ByteString = string;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const beyondAscii = /[^\0-\x7f]/;

/** The text to show: decoded from UTF-8, with one U+FFFD for each maximal invalid part. */
export function displayText(bytes: ByteString): string {
  return beyondAscii.test(bytes) ? decoder.decode(Buffer.from(bytes, 'latin1')) : bytes;
}

/** The byte string of a text, as UTF-8. */
export function toByteString(text: string): ByteString {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Compares in byte order, for `Array.sort`. */
export function byteOrder(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
