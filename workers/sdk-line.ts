import type { LogLevel } from '@temporalio/worker';
import { plainStatus } from './plain-status';

/**
 * Warnings of the Temporal SDK that nobody needs to see. Our merge worker has no workflows on purpose. A failed
 * federation is also logged as `federation.failed`, with more details.
 */
const unimportant = new Set(['No workflows registered, not polling for workflow tasks', 'Workflow failed']);

/** Fields of the SDK that help nobody who reads a log. The task token alone has 200 characters. */
const noise: readonly string[] = ['taskToken', 'isLocal', 'activityId', 'namespace'];

const levels = { TRACE: 'debug', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;

/** A log message of the Temporal SDK, in the form in which our own log writes it. */
export interface SdkLine {
  readonly level: 'debug' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Returns whether the line reports a failed attempt that is not retried. Its workflow, or the verb that asked for it,
 * reports the same error with more details.
 */
function isFinal(message: string, { error }: SdkLine['fields']): boolean {
  return message === 'Activity failed' && (error as { nonRetryable?: unknown } | null)?.nonRetryable === true;
}

const repeatedAfterMs = 60_000;
/**
 * Maximum number of different errors to remember. In practice, only a few occur. If there are more, all are forgotten.
 */
const mostKinds = 100;
const longestRaw = 4_000;

/**
 * Converts log lines of the Temporal SDK. Its native part writes the errors of calls to Temporal as Rust prints them
 * for debugging, with hundreds of characters. Such an error becomes a short sentence, and the field `raw` has the
 * original text.
 *
 * While Temporal is unreachable, the native part writes dozens of lines per second, one for each retry of each call. Of
 * the lines with the same error, only one per minute keeps its level; the others get the level debug.
 */
export class SdkLines {
  readonly #said = new Map<string, number>();

  /** @param now the time of the line, in milliseconds */
  convert(level: LogLevel, message: string, meta: object = {}, now = performance.now()): SdkLine {
    const fields: SdkLine['fields'] = Object.fromEntries(
      Object.entries(meta).filter(([name]) => !noise.includes(name)),
    );
    if (fields['sdkComponent'] === 'core') return this.convertNative(level, message, fields, now);
    const isQuiet = unimportant.has(message) || isFinal(message, fields);
    return { level: isQuiet ? 'debug' : levels[level], message, fields };
  }

  private convertNative(
    level: LogLevel,
    message: string,
    { error, target, ...others }: SdkLine['fields'],
    now: number,
  ): SdkLine {
    const raw: string[] = [];
    const plain = (text: string) => {
      const said = plainStatus(text);
      if (said !== text) raw.push(text);
      return said;
    };
    const said = plain(message);
    // Some messages contain their error.
    const why = typeof error === 'string' ? plain(error) : said === message ? undefined : said;
    return {
      level: why !== undefined && this.isRepeated(`${String(target)} ${why}`, now) ? 'debug' : levels[level],
      message: said,
      fields: {
        ...others,
        target,
        ...(error !== undefined && { error: typeof error === 'string' ? why : error }),
        ...(raw.length > 0 && { raw: raw.join('\n').slice(0, longestRaw) }),
      },
    };
  }

  private isRepeated(kind: string, now: number): boolean {
    const last = this.#said.get(kind);
    if (last !== undefined && now - last < repeatedAfterMs) return true;
    if (this.#said.size >= mostKinds) this.#said.clear();
    this.#said.set(kind, now);
    return false;
  }
}
