import { FederationError } from '../errors/federation-error';

/**
 * Reserved prefixes of names: no part of a key may start with one of them. On file systems, the driver uses them for
 * temporary files and for files that contain an object's metadata.
 */
export const reservedNames = ['.tmp-', '.meta-'] as const;

const maxKeyBytes = 900;
/**
 * Maximum size of one part of a key (the text between two slashes), in bytes. File systems allow 255 bytes per name.
 * The other 15 bytes are for prefixes that a driver adds to a name.
 */
const maxNameBytes = 240;

/**
 * Throws STORAGE_INVALID_KEY if a key is invalid. Every supported store can hold a valid key unchanged. A valid key has
 * 1 to 900 bytes of well-formed UTF-8, without backslashes, control characters and those that Unicode gives no meaning.
 * Slashes separate its parts. Each part has 1 to 240 bytes, does not end with a dot, and does not start with a reserved
 * prefix.
 */
export function checkKey(key: string): void {
  refuse(key, keyFault(key));
}

/**
 * Like `checkKey`, but for the prefix of a listing. A prefix may be empty, end with a slash, or end in the middle of a
 * name.
 */
export function checkPrefix(prefix: string): void {
  const slash = prefix.lastIndexOf('/');
  const folderFault = slash === -1 ? undefined : keyFault(prefix.slice(0, slash));
  refuse(prefix, folderFault ?? textFault(prefix.slice(slash + 1)));
}

/** Returns a sentence that says why a key is invalid, or undefined if it is valid. */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'The key is empty.';
  return textFault(key) ?? nameFault(key.split('/'));
}

function refuse(key: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw new FederationError('STORAGE_INVALID_KEY', { subject: { key: JSON.stringify(key) }, detail: fault });
}

function textFault(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'The key has a control character.';
  if (text.includes('\\')) return 'The key has a backslash.';
  // Azure refuses these characters, and listings in XML cannot contain all of them.
  if (/[\p{Private_Use}\p{Noncharacter_Code_Point}]/u.test(text))
    return 'The key has a private or undefined character.';
  if (Buffer.byteLength(text) > maxKeyBytes) return `The key has more than ${maxKeyBytes} bytes.`;
  if (!text.isWellFormed()) return 'The key is not well-formed Unicode.';
  return undefined;
}

function nameFault(names: string[]): string | undefined {
  for (const name of names) {
    if (name === '') return 'The key begins or ends with a slash, or has two in a row.';
    // URLs and file systems give `.` and `..` a meaning. Azure removes the last dots of a part, so that `a.` is `a`.
    if (name.endsWith('.')) return 'A part of the key ends with a dot.';
    if (Buffer.byteLength(name) > maxNameBytes)
      return `A part of the key has more than ${maxNameBytes} bytes.`;
    if (reservedNames.some((reserved) => name.startsWith(reserved))) {
      return `A part of the key begins with ${reservedNames.map((reserved) => `\`${reserved}\``).join(' or ')}.`;
    }
  }
  return undefined;
}
