import { temporal } from '@temporalio/proto';
import type { History } from './history-json';

const { Payload } = temporal.api.common.v1;

/** Size of a payload, and its position in a history. */
export interface PayloadSize {
  /** Size of the payload in bytes. Includes the metadata of the payload, because Temporal counts it, too. */
  readonly bytes: number;
  /**
   * Path of the payload, beginning with the id of its event. Empty if the history has no payload. For example:
   * `5: activityTaskCompletedEventAttributes.result.payloads.0`.
   */
  readonly at: string;
}

/** Maximum size of a payload, in bytes. Payloads contain only references and small summaries, never ETL files. */
export const mostPayloadBytes = 100 * 1024;

/**
 * Finds the largest payload in any field of a history: arguments, results, signals, failures, memos, heartbeats, search
 * attributes and summaries.
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
