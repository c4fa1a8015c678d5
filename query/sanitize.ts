/**
 * Sanitises a label or annotation key as Prometheus does: all characters but letters, digits and underscores become
 * `_`.
 */
export function sanitizeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/gu, '_');
}
