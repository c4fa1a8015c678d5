import type { Log } from '../config/log';

/**
 * Time after the first signal during which further signals are ignored, in milliseconds. On Ctrl-C, this process may
 * receive the signal twice almost at once: from the terminal, and from its parent, which forwards it.
 */
const oneSignalMs = 2_000;

/**
 * Returns an abort signal that fires on the first SIGINT or SIGTERM. The second SIGINT or SIGTERM ends the process at
 * once. Disposing the abort signal removes the signal handlers.
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

/** How many milliseconds a process may keep running after its work is done. Then `endSoon` ends it. */
const leftOverMs = 10_000;

/**
 * If the process is still running after `withinMs`, ends it with the exit code in `process.exitCode`. Something may
 * keep the process alive, such as the SDK's connection to a server that has gone away. Call this function when the work
 * is done or has failed. Otherwise the process might never end, and its supervisor would not restart it.
 */
export function endSoon(withinMs = leftOverMs): void {
  setTimeout(() => process.exit(), withinMs).unref();
}
