import type { Log } from '../config/log';

/** A terminal's signal, and the same one forwarded by a parent, arrive within a moment and are one. */
const oneSignalMs = 2_000;

/** Aborted on the first SIGINT or SIGTERM; a second signal ends the process at once. Disposing of it stops the listening. */
export function stopOnSignals(log: Pick<Log, 'info'>): AbortSignal & Disposable {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted && Date.now() - firstAt < oneSignalMs) return;
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    firstAt = Date.now();
    log.info({ event: 'stopping', signal }, `${signal}: finishing what is begun; once more to end at once`);
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

/** Aborted when whoever started this process and holds a channel to it (the example does) is gone, also when killed. */
export function parentGone(): AbortSignal {
  const gone = new AbortController();
  process.once('disconnect', () => gone.abort());
  // Listening alone must not keep this process alive.
  process.channel?.unref();
  return gone.signal;
}

/** How long what is left of a process that has done its work may keep it. */
const leftOverMs = 10_000;

/**
 * To be called when all is done or has failed: the process ends by itself, and if something keeps it from that (the SDK's
 * connection to a server that went away does), it is ended, with the exit status that it has then. Whoever supervises it
 * starts nothing anew as long as it hangs.
 */
export function endSoon(withinMs = leftOverMs): void {
  setTimeout(() => process.exit(), withinMs).unref();
}
