/**
 * A string of an ETL file as the model stores it: a JS string in which each char stands for one byte (0 to 255),
 * decoded as latin1. It is *not* text: `ü` in a file is two chars here.
 *
 * Why: strings in files are not always valid UTF-8 (writers cut long ones in the middle of a character), and they must
 * be passed on exactly as they are. This form loses nothing, `===` compares bytes, `<` compares in byte order, and
 * reading a string is a plain copy. ASCII constants such as `__idle__` can be compared with it directly. `displayText`
 * converts a byte string to text for people; `toByteString` converts text from elsewhere to a byte string.
 */
export type ByteString = string;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const beyondAscii = /[^\0-\x7f]/;

/** Converts a byte string to text for people by decoding it as UTF-8. Each maximal invalid part becomes one U+FFFD. */
export function displayText(bytes: ByteString): string {
  return beyondAscii.test(bytes) ? decoder.decode(Buffer.from(bytes, 'latin1')) : bytes;
}

/** Converts text to a byte string by encoding it as UTF-8. */
export function toByteString(text: string): ByteString {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Compares two byte strings in byte order, for `Array.sort`. */
export function byteOrder(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
