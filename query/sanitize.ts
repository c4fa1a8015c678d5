/** Sanitises a label or annotation key as Prometheus does: anything but letters, digits and underscores becomes `_`. */
export function sanitizeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9_]/gu, '_');
}
