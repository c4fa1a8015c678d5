import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log';

/** Tells of something, of many at once only one time, and again until it was heard. */
export interface Notifier {
  notify(): void;
  close(): void;
}

const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

/** What cannot be told (Temporal is away, or who should hear it) is told when it can. */
export function createNotifier(tell: () => Promise<void>, log: Log): Notifier {
  const closing = new AbortController();
  let wanted = false;
  let telling = false;
  const run = async () => {
    telling = true;
    let waitMs = firstWaitMs;
    while (wanted && !closing.signal.aborted) {
      wanted = false;
      try {
        await tell();
        waitMs = firstWaitMs;
      } catch (error) {
        wanted = true;
        log.warn(
          { event: 'temporal.untold', reason: String(error) },
          `Temporal cannot be told yet; again in ${waitMs / 1000} s`,
        );
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, longestWaitMs);
      }
    }
    telling = false;
  };
  return {
    notify: () => {
      wanted = true;
      if (!telling) void run();
    },
    close: () => closing.abort(),
  };
}
