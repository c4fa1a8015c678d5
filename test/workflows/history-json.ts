import { temporal } from '@temporalio/proto';

/** A workflow's history. */
export type History = temporal.api.history.v1.IHistory;
const { History } = temporal.api.history.v1;

/**
 * A history as JSON: protobuf's field names, numbers of 64 bits as strings, bytes in base64. (The SDK's own pair of
 * functions writes what the Temporal UI does, but works only where npm laid out its packages in one of several ways.)
 */
export function historyToJson(history: History): string {
  const plain = History.toObject(History.fromObject(history), {
    longs: String,
    enums: String,
    bytes: String,
  });
  return `${JSON.stringify(plain, null, 1)}\n`;
}

/** What `historyToJson` wrote. */
export function historyFromJson(json: string): History {
  return History.fromObject(JSON.parse(json) as object);
}
