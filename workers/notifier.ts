import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log';
import { errorLine } from '../errors/error-line';

/**
 * Sends notifications, and retries until they succeed. If `notify` is called several times while a notification is
 * being sent, only one more notification is sent afterwards.
 */
export interface Notifier {
  notify(): void;
  close(): void;
}

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

/**
 * Creates a notifier that retries `send` until it returns true. `send` returns false if the receiving workflow does not
 * exist yet, and throws on other failures, such as an unreachable Temporal server. Logs each reason once, not for each
 * attempt.
 */
export function createNotifier(send: () => Promise<boolean>, log: Log): Notifier {
  const closing = new AbortController();
  let wanted = false;
  let sending = false;
  const run = async () => {
    sending = true;
    let waitMs = firstWaitMs;
    let known: string | undefined;
    const wait = async () => {
      wanted = true;
      await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    };
    while (wanted && !closing.signal.aborted) {
      wanted = false;
      try {
        if (await send()) waitMs = firstWaitMs;
        else await wait();
      } catch (error) {
        const reason = errorLine(error);
        log[reason === known ? 'debug' : 'warn'](
          { event: 'temporal.not-notified', reason },
          `Temporal cannot be notified yet; next attempt in ${waitMs / 1000} s, then until it succeeds: ${reason}`,
        );
        known = reason;
        await wait();
      }
    }
    sending = false;
  };
  return {
    notify: () => {
      wanted = true;
      if (!sending) void run();
    },
    close: () => closing.abort(),
  };
}
