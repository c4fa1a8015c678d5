/**
 * Compares two ids by their UTF-8 bytes. This is the order in which clusters are merged and in which stores list keys.
 * (A plain `<` compares UTF-16 units, which differs beyond the Basic Multilingual Plane.)
 */
export function byBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Ranks UTF-16 units in the order of code points: surrogates come last, as they encode the highest code points. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Returns a record with its keys in byte order, so that equal content gives equal text. */
export function inByteOrder<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => byBytes(a, b)));
}
