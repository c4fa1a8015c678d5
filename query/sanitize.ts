/**
 * Sanitises the key of a label or annotation like Prometheus: replaces all characters other than letters, digits and
 * underscores by `_`.
 */
export function sanitizeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/gu, '_');
}
