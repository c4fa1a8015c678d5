import { log, setDefaultSignalHandler } from '@temporalio/workflow';

/**
 * Handles a signal that only workflows send. Temporal's UI offers its users every signal that has a named handler. To
 * keep this signal out of the UI, the workflow's default handler handles it. So a workflow can have only one such
 * signal.
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
