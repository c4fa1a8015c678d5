import type { Log } from '../config/log';
import { repeat } from './repeat';

const everyMs = 60_000;

/**
 * Runs `work` now and once a minute. Skips a minute if the previous run has not ended. If `work` throws, only logs the
 * error, because the next run may succeed. The log message contains `what`, a description of the information that
 * `work` finds out. Returns a function that stops the repetition.
 */
export function everyMinute(log: Log, what: string, work: () => Promise<void>): () => void {
  const run = () =>
    work().catch((error: unknown) =>
      log.debug(
        { event: 'federation.metrics-unknown', reason: error },
        `Federator could not find out ${what}; it tries again in a minute`,
      ),
    );
  return repeat(everyMs, run, { atOnce: true });
}
