import { timeText } from '../query/notes';
import type { Span } from '../query/request';

/** An object of members that are JSON already, in this order: keys that look like numbers stay where they are. */
export function jsonObject(members: Iterable<readonly [key: string, json: string]>): string {
  const parts: string[] = [];
  for (const [key, json] of members) parts.push(`${JSON.stringify(key)}:${json}`);
  return `{${parts.join(',')}}`;
}

export function jsonArray(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

export function jsonWindow({ start, end }: Span): string {
  return `{"start":"${timeText(start)}","end":"${timeText(end)}"}`;
}

/** The envelope of a success. */
export function envelope(data: string, warnings: readonly string[] = []): string {
  const warning = warnings.length === 0 ? '' : `,"warning":${JSON.stringify(warnings.join(' '))}`;
  return `{"code":200,"status":"success","data":${data}${warning}}`;
}
