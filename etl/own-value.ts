/**
 * Like `record[key]`, but returns undefined unless the record itself has the key. Use it if the key comes from outside,
 * such as a cluster id: a plain look-up of `constructor` finds the function that every object inherits.
 */
export function ownValue<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
