import type { Log } from '../config/log';

/**
 * Time within which repeated signals count as one: a signal from the terminal and the same signal forwarded by a parent
 * arrive almost together.
 */
const oneSignalMs = 2_000;

/**
 * Returns a signal that is aborted on the first SIGINT or SIGTERM. A second one ends the process at once. Disposing
 * removes the listeners.
 */
export function stopOnSignals(log: Pick<Log, 'info'>): AbortSignal & Disposable {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted && Date.now() - firstAt < oneSignalMs) return;
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    firstAt = Date.now();
    log.info(
      { event: 'stopping', signal },
      `${signal}: finishing the work in progress; a second signal ends the process at once`,
    );
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return Object.assign(stop.signal, {
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  });
}

/**
 * Returns a signal that is aborted when the parent process, with which this process has a channel, is gone, even if it
 * was killed. The demo is such a parent.
 */
export function parentGone(): AbortSignal {
  const gone = new AbortController();
  process.once('disconnect', () => gone.abort());
  // Listening to the channel must not keep this process alive.
  process.channel?.unref();
  return gone.signal;
}

/** Milliseconds that a process may take to exit after its work is done. */
const leftOverMs = 10_000;

/**
 * Call it when the work is done or has failed. If something keeps the process alive (such as the SDK's connection to a
 * server that went away), this ends the process with the exit status that it has by then: a supervisor restarts only a
 * process that has ended.
 */
export function endSoon(withinMs = leftOverMs): void {
  setTimeout(() => process.exit(), withinMs).unref();
}
