import { log, setDefaultSignalHandler } from '@temporalio/workflow';

/**
 * Handles the signals that only this program sends. Temporal's UI offers its users every signal that has a named
 * handler. To keep these signals out of the UI, the workflow's default handler handles them. So a workflow can call
 * this only once.
 */
export function handleInternalSignals(
  ...handlers: readonly (readonly [signal: { readonly name: string }, handle: (message: unknown) => void])[]
): void {
  setDefaultSignalHandler((name, message) => {
    const [, handle] = handlers.find(([signal]) => signal.name === name) ?? [];
    if (handle !== undefined) handle(message);
    else log.warn('A signal that this workflow does not know was ignored', { signal: name });
  });
}
