import { temporal } from '@temporalio/proto';

/** A workflow's history as protobuf represents it. */
export type History = temporal.api.history.v1.IHistory;
const { History } = temporal.api.history.v1;

/**
 * Converts a history to JSON with protobuf's field names. 64-bit numbers become strings, and bytes become base64. (The
 * SDK's own functions write the format of the Temporal UI instead. They work only if npm has arranged the SDK's
 * packages in a certain way.)
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
