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

const repeatedAfterMs = 60_000;
/** Maximum number of different errors to remember. There are only a few. */
const mostKinds = 100;

/**
 * Converts log lines of the Temporal SDK. While Temporal is unreachable, the native part of the SDK writes dozens of
 * lines per second, one for each retry of each call. Of the lines with the same error, only one per minute keeps its
 * level; the others get the level debug.
 */
export class SdkLines {
  readonly #said = new Map<string, number>();

  /** @param now the time of the line, in milliseconds */
  convert(level: LogLevel, message: string, meta: object = {}, now = performance.now()): SdkLine {
    const fields = Object.fromEntries(Object.entries(meta)) as SdkLine['fields'];
    const isMinor = unimportant.has(message) || this.isRepeated(fields, now);
    return { level: isMinor ? 'debug' : levels[level], fields };
  }

  private isRepeated({ sdkComponent, target, error }: SdkLine['fields'], now: number): boolean {
    if (sdkComponent !== 'core' || typeof error !== 'string') return false;
    const kind = `${String(target)} ${error}`;
    const last = this.#said.get(kind);
    if (last !== undefined && now - last < repeatedAfterMs) return true;
    if (this.#said.size >= mostKinds) this.#said.clear();
    this.#said.set(kind, now);
    return false;
  }
}
