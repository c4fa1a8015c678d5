import type { Log } from '../config/log';

const everyMs = 60_000;

/**
 * Runs `work` now and once a minute. Skips a minute if the previous run has not ended. If `work` throws, only logs the
 * error, because the next run may succeed. The log message contains `what`, a description of the information that
 * `work` finds out. Returns a function that stops the repetition.
 */
export function everyMinute(log: Log, what: string, work: () => Promise<void>): () => void {
  let working = false;
  const run = async () => {
    if (working) return;
    working = true;
    try {
      await work();
    } catch (error) {
      log.debug(
        { event: 'federation.metrics-unknown', reason: String(error) },
        `Federator could not find out ${what}; it tries again in a minute`,
      );
    } finally {
      working = false;
    }
  };
  void run();
  const timer = setInterval(() => void run(), everyMs);
  return () => clearInterval(timer);
}
