import { temporal } from '@temporalio/proto';

/** History of a workflow. */
export type History = temporal.api.history.v1.IHistory;
const { History } = temporal.api.history.v1;

/**
 * Converts a history to JSON: protobuf's field names, 64-bit numbers as strings, bytes in base64. (The SDK's own
 * functions write the Temporal UI's format, but they work with only one of the ways in which npm may arrange the SDK's
 * packages.)
 */
export function historyToJson(history: History): string {
  const plain = History.toObject(History.fromObject(history), {
    longs: String,
    enums: String,
    bytes: String,
  });
  return `${JSON.stringify(plain, null, 1)}\n`;
}

/** Parses the output of `historyToJson`. */
export function historyFromJson(json: string): History {
  return History.fromObject(JSON.parse(json) as object);
}
