import type { Log } from '../config/log';

/**
 * Milliseconds after the first signal in which further signals are ignored: a signal from the terminal and the same
 * signal forwarded by a parent arrive almost together.
 */
const oneSignalMs = 2_000;

/**
 * Returns a signal that is aborted on the first SIGINT or SIGTERM. A second one ends the process at once. Disposing the
 * returned signal removes the listeners.
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
 * Returns a signal that is aborted when the parent process is gone, even if it was killed. This needs an IPC channel to
 * the parent, which the demo opens.
 */
export function parentGone(): AbortSignal {
  const gone = new AbortController();
  process.once('disconnect', () => gone.abort());
  // Listening to the channel must not keep this process alive.
  process.channel?.unref();
  return gone.signal;
}

/** Milliseconds for which a process may continue after its work is done. */
const leftOverMs = 10_000;

/**
 * Ends the process after `withinMs` if something still keeps it alive then, such as the SDK's connection to a server
 * that went away. Uses the exit status that is set at that time. Call it when the work is done or has failed: a
 * supervisor restarts only a process that has ended.
 */
export function endSoon(withinMs = leftOverMs): void {
  setTimeout(() => process.exit(), withinMs).unref();
}
