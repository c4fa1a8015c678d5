/**
 * Sanitises the key of a label or annotation in the same way as Prometheus: replaces every character other than a
 * letter, a digit or an underscore with `_`.
 */
export function sanitizeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/gu, '_');
}
