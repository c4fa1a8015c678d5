import { log, setDefaultSignalHandler } from '@temporalio/workflow';

/**
 * Handles a signal that only workflows send. Temporal's UI offers people every signal that has a handler of its own, so
 * the default handler takes this one. A workflow can have one such signal. Its message may be anything.
 */
export function handleInternalSignal(
  signal: { readonly name: string },
  handle: (message: unknown) => void,
): void {
  setDefaultSignalHandler((name, message) => {
    if (name === signal.name) handle(message);
    else log.warn('A signal that this workflow does not know was ignored', { signal: name });
  });
}
