import type { Log } from '../config/log';

const everyMs = 60_000;

/**
 * Runs `work` now and every minute, but not while an earlier run of it is still going on. An error is only logged: the
 * next run may succeed. `what` names, for the log, what `work` finds out. Returns a function that stops this.
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
