import { types } from 'node:util';
import type { LogLevel } from '@temporalio/worker';

/**
 * Warnings of the Temporal SDK that nobody needs to see. Our merge worker has no workflows on purpose. A failed
 * federation is also logged as `federation.failed`, with more details.
 */
const unimportant = new Set(['No workflows registered, not polling for workflow tasks', 'Workflow failed']);

const levels = { TRACE: 'debug', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;

/** A log message of the Temporal SDK, in the form in which our own log writes it. */
export interface SdkLine {
  readonly level: 'debug' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Converts a line of the Temporal SDK's log. Errors become text, because an error converted to JSON would be `{}`. */
export function sdkLine(level: LogLevel, message: string, meta: object = {}): SdkLine {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta as SdkLine['fields'])) {
    // Do not use `instanceof Error`: it is false for an error from a workflow, which runs in another V8 context.
    fields[name] = types.isNativeError(value) ? describe(value) : value;
  }
  return { level: unimportant.has(message) ? 'debug' : levels[level], fields };
}

function describe(error: Error & { type?: unknown }): string {
  return typeof error.type === 'string' ? `${error.type}: ${error.message}` : error.message;
}
