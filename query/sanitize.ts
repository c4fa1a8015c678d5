/** A key of labels or annotations as Prometheus stores it: whatever is no letter, digit or underscore becomes `_`. */
export function sanitizeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/gu, '_');
}
