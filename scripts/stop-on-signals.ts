import type { Log } from '../config/log';

/** A signal from the terminal and the same one forwarded by a parent arrive almost together, and count as one. */
const oneSignalMs = 2_000;

/** Aborted on the first SIGINT or SIGTERM; a second signal ends the process at once. Disposing removes the listeners. */
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

/** Aborted when the parent that holds a channel to this process is gone, even if it was killed. The example is one. */
export function parentGone(): AbortSignal {
  const gone = new AbortController();
  process.once('disconnect', () => gone.abort());
  // Listening alone must not keep this process alive.
  process.channel?.unref();
  return gone.signal;
}

/** How long a process may take to exit after its work is done. */
const leftOverMs = 10_000;

/**
 * Call it when the work is done or has failed. If something keeps the process alive (the SDK's connection to a server
 * that went away does), it is ended with the exit status of that moment: a supervisor restarts only a process that ended.
 */
export function endSoon(withinMs = leftOverMs): void {
  setTimeout(() => process.exit(), withinMs).unref();
}
