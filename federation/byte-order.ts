/**
 * Compares two ids by their UTF-8 bytes. Clusters are merged in this order, and stores list their keys in this order.
 * Plain `<` compares UTF-16 code units instead, which sorts characters beyond the Basic Multilingual Plane differently.
 */
export function byBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/**
 * Maps a UTF-16 code unit to a number that sorts in code point order. Surrogates sort last, because they encode the
 * highest code points.
 */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Returns a copy of a record with its keys in byte order, so that equal records serialize to the same JSON. */
export function inByteOrder<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => byBytes(a, b)));
}
