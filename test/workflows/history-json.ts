import { temporal } from '@temporalio/proto';

/** The history of a workflow, as a protobuf message. */
export type History = temporal.api.history.v1.IHistory;
const { History } = temporal.api.history.v1;

/**
 * Converts a history to JSON with the field names of protobuf. 64-bit integers become strings, and bytes become base64.
 * The SDK's own functions are not used: they write the format of the Temporal UI, and they fail if npm has installed
 * the SDK's packages in a different folder structure.
 */
export function historyToJson(history: History): string {
  const plain = History.toObject(History.fromObject(history), {
    longs: String,
    enums: String,
    bytes: String,
  });
  return `${JSON.stringify(plain, null, 1)}\n`;
}

/** Parses JSON that `historyToJson` has written. */
export function historyFromJson(json: string): History {
  return History.fromObject(JSON.parse(json) as object);
}
