import { timeText } from '../query/notes';
import type { Span } from '../query/span';

/** A long string as a sequence of parts, so that it never has to be in memory as a whole. */
export type Parts = Iterable<string>;

/**
 * Makes a JSON object from members whose values are already JSON. Unlike JSON.stringify, it does not reorder keys that
 * look like numbers.
 */
export function jsonObject(members: Iterable<readonly [key: string, json: string]>): string {
  const parts: string[] = [];
  for (const [key, json] of members) parts.push(`${JSON.stringify(key)}:${json}`);
  return `{${parts.join(',')}}`;
}

/** Encodes items as a JSON object, in parts: one part per item. */
export function* objectParts<T>(
  items: Iterable<T>,
  key: (item: T) => string,
  json: (item: T) => string,
): Parts {
  let before = '{';
  for (const item of items) {
    yield `${before}${JSON.stringify(key(item))}:${json(item)}`;
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

export function jsonArray(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

/** Encodes items as a JSON array, in parts. `parts` encodes one item. */
export function* arrayParts<T>(items: Iterable<T>, parts: (item: T) => Parts): Parts {
  let before = '[';
  for (const item of items) {
    yield before;
    yield* parts(item);
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

export function jsonWindow({ start, end }: Span): string {
  return `{"start":"${timeText(start)}","end":"${timeText(end)}"}`;
}

/** Joins warnings with semicolons. Only the last warning keeps its full stop. */
export function warningText(warnings: readonly string[]): string {
  return warnings
    .map((warning, index) => (index < warnings.length - 1 ? warning.replace(/\.$/, '') : warning))
    .join('; ');
}

/** Wraps the JSON data of a successful answer in the envelope that all answers have. */
export function envelope(data: string, warnings: readonly string[] = []): string {
  return [...envelopeParts([data], warnings)].join('');
}

/** Like `envelope`, but takes the data in parts and returns the answer in parts. */
export function* envelopeParts(data: Parts, warnings: readonly string[]): Parts {
  yield '{"code":200,"status":"success","data":';
  yield* data;
  yield warnings.length === 0 ? '}' : `,"warning":${JSON.stringify(warningText(warnings))}}`;
}
