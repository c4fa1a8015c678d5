/**
 * A string from an ETL file, as a sequence of bytes: each character of the JS string stands for one byte (0 to 255).
 * This is *not* readable text: the letter `ü` takes up two characters.
 *
 * Strings in files are not always valid UTF-8, because writers may truncate a long string in the middle of a character.
 * But strings must be written back byte for byte. This form keeps every byte. Byte strings can be compared with `===`
 * and `<`, both with each other and with ASCII constants such as `__idle__`; `<` compares in byte order. `displayText`
 * converts a byte string to readable text, and `toByteString` converts text to a byte string.
 */
export type ByteString = string;

const decoder = new TextDecoder('utf-8');
const beyondAscii = /[^\0-\x7f]/;

/**
 * Decodes a byte string as UTF-8, for display and queries. Replaces invalid bytes with U+FFFD. Omits byte order marks at
 * the start: they are invisible, and DuckDB's client and other readers drop them, so two names would become one.
 */
export function displayText(bytes: ByteString): string {
  if (!beyondAscii.test(bytes)) return bytes;
  return decoder.decode(Buffer.from(bytes, 'latin1')).replace(/^\ufeff+/, '');
}

/** Returns the display texts of names, in byte order, without repetitions and empty ones. */
export function displayTexts(names: Iterable<ByteString>): string[] {
  const texts = new Set([...names].map(displayText));
  texts.delete('');
  return [...texts].sort((a, b) => byteOrder(toByteString(a), toByteString(b)));
}

/** Converts text to a byte string by encoding it as UTF-8. */
export function toByteString(text: string): ByteString {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Compares two byte strings in byte order. Can be passed to `Array.sort`. */
export function byteOrder(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
