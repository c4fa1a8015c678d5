import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Log } from '../config/log';
import type { FederationError } from '../errors/federation-error';
import { withHint } from '../errors/hints';
import { wrongKeys } from '../operator/require-keys';

export interface AwaitKeysOptions {
  readonly log: Log;
  readonly stop: AbortSignal;
  /** If it returns true, waits for other keys instead of throwing the error. */
  readonly insists: () => boolean;
  /** Time between two checks, in milliseconds. (Default: 5000) */
  readonly everyMs?: number;
  /** Called with each error. */
  readonly refused: (error: FederationError) => void;
}

/**
 * Checks that this process has the secrets with which running workflows are encrypted. Otherwise, everything that it
 * sent them would block them. A missing key is no error here: the workflows wait for it.
 *
 * @throws TEMPORAL_KEY_DIFFERS if a secret differs
 */
export async function awaitKeys(
  client: Client,
  workflowIds: readonly string[],
  { log, stop, insists, refused, everyMs = 5_000 }: AwaitKeysOptions,
): Promise<void> {
  for (let known: string | undefined; ;) {
    const errors = await Promise.all(workflowIds.map((id) => wrongKeys(client, id)));
    const error = errors.find((one) => one?.code === 'TEMPORAL_KEY_DIFFERS');
    if (error === undefined) return;
    refused(error);
    if (stop.aborted || !insists()) throw error;
    if (error.detail !== known)
      log.warn({ event: 'temporal.keys-differ', code: error.code }, `This process waits: ${withHint(error)}`);
    known = error.detail;
    await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}
