import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log';

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
 * Creates a notifier that retries `send` until it succeeds. `send` may fail at first, for example because Temporal
 * cannot be reached or the receiving workflow does not exist yet.
 */
export function createNotifier(send: () => Promise<void>, log: Log): Notifier {
  const closing = new AbortController();
  let wanted = false;
  let sending = false;
  const run = async () => {
    sending = true;
    let waitMs = firstWaitMs;
    while (wanted && !closing.signal.aborted) {
      wanted = false;
      try {
        await send();
        waitMs = firstWaitMs;
      } catch (error) {
        wanted = true;
        log.warn(
          { event: 'temporal.not-notified', reason: String(error) },
          `Temporal cannot be notified yet; next attempt in ${waitMs / 1000} s`,
        );
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, longestWaitMs);
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
