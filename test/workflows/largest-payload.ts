import { temporal } from '@temporalio/proto';
import type { History } from './history-json';

const { Payload } = temporal.api.common.v1;

/** The size of a payload, and its place in the history. */
export interface PayloadSize {
  /** Size of the payload including its metadata, as Temporal counts it. */
  readonly bytes: number;
  /**
   * Path of the payload in the history, such as `5: activityTaskCompletedEventAttributes.result.payloads.0`. Empty if
   * there is no payload.
   */
  readonly at: string;
}

/**
 * Upper limit for the size of a payload, in bytes. Only references and small summaries pass through Temporal, never ETL
 * files.
 */
export const mostPayloadBytes = 100 * 1024;

/**
 * Finds the largest payload of a history. Considers all fields: arguments, results, signals, failures, memos,
 * heartbeats, search attributes and summaries.
 */
export function largestPayload(history: History): PayloadSize {
  let largest: PayloadSize = { bytes: 0, at: '' };
  const visit = (value: unknown, at: string): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    if (isPayload(value)) {
      const bytes = Payload.encode(value).finish().length;
      if (bytes > largest.bytes) largest = { bytes, at };
      return;
    }
    for (const [key, inner] of Object.entries(value)) visit(inner, `${at}.${key}`);
  };
  for (const event of history.events ?? []) {
    const id = event.eventId?.toString() ?? '?';
    for (const [key, value] of Object.entries(event)) visit(value, `${id}: ${key}`);
  }
  return largest;
}

function isPayload(value: object): value is temporal.api.common.v1.IPayload {
  return 'data' in value && 'metadata' in value && ArrayBuffer.isView(value.data);
}
