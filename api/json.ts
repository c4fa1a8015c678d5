import { timeText } from '../query/notes';
import type { Span } from '../query/span';

/** A text in parts, so that a long one is never in memory as a whole. */
export type Parts = Iterable<string>;

/** An object of members in JSON. Unlike JSON.stringify, it keeps keys that look like numbers in their order. */
export function jsonObject(members: Iterable<readonly [key: string, json: string]>): string {
  const parts: string[] = [];
  for (const [key, json] of members) parts.push(`${JSON.stringify(key)}:${json}`);
  return `{${parts.join(',')}}`;
}

/** The same in parts, one per member. */
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

/** An array of items, each in parts. */
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

/** Joins warnings with semicolons. */
export function warningText(warnings: readonly string[]): string {
  return warnings
    .map((warning, index) => (index < warnings.length - 1 ? warning.replace(/\.$/, '') : warning))
    .join('; ');
}

/** A successful answer in its envelope. */
export function envelope(data: string, warnings: readonly string[] = []): string {
  return [...envelopeParts([data], warnings)].join('');
}

/** The same in parts. */
export function* envelopeParts(data: Parts, warnings: readonly string[]): Parts {
  yield '{"code":200,"status":"success","data":';
  yield* data;
  yield warnings.length === 0 ? '}' : `,"warning":${JSON.stringify(warningText(warnings))}}`;
}
