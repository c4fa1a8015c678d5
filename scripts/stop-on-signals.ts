import type { Log } from '../config/log';

/** A terminal's signal, and the same one forwarded by a parent, arrive within a moment and are one. */
const oneSignalMs = 2_000;

/** Aborted on the first SIGINT or SIGTERM, or when the parent is gone; a second signal ends the process at once. */
export function stopOnSignals(log: Pick<Log, 'info'>): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted && Date.now() - firstAt < oneSignalMs) return;
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    firstAt = Date.now();
    log.info({ event: 'stopping', signal }, `${signal}: finishing what is begun; once more to end at once`);
    stop.abort();
  };
  // Whoever started this process and holds a channel to it (the example does) takes it along, also when killed.
  process.once('disconnect', () => stop.abort());
  process.channel?.unref();
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop.signal;
}
