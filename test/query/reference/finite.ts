/**
 * Copies a value. Replaces each NaN or infinite number in it with 0, because the query contract counts such numbers as
 * 0.
 */
export function finite<T>(stored: T): T {
  return finiteValue(stored) as T;
}

function finiteValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : 0;
  if (Array.isArray(value)) return value.map(finiteValue);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, finiteValue(one)]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, finiteValue(one)]));
}
