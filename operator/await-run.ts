import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';
import { isKeyError } from '../errors/key-errors';
import { knownError } from '../errors/known-error';
import { promptly } from './promptly';
import { isStuck, stuckOn } from './stuck-on';

/** How long to keep waiting when there is no progress, in milliseconds. */
export interface Patience {
  readonly lookEveryMs: number;
  /** Maximum time to wait for Temporal's answer to one request. */
  readonly answerWithinMs: number;
  /**
   * Maximum time to wait while the run is stuck or the server does not answer. It must be at least three minutes,
   * because a federator may need almost that long to restore what Temporal has lost.
   */
  readonly troubleMs: number;
}

const usual: Patience = { lookEveryMs: 3_000, answerWithinMs: 10_000, troubleMs: 5 * 60_000 };

export interface AwaitRunOptions {
  /** Called with the reason when the run is stuck, or when Temporal does not answer. */
  readonly stuck: (why: FederationError) => void;
  /** Aborting this signal ends the waiting, but not the run. */
  readonly timeout?: AbortSignal;
  readonly patience?: Patience;
}

/**
 * Waits for the end of a run and returns its result.
 *
 * @throws WorkflowFailedError if the run fails; FederationError with the reason if it stays stuck, if Temporal does not
 *   answer for long, or if Temporal no longer knows the run; WAIT_TIMED_OUT if `timeout` is aborted before the end
 */
export async function awaitRun(
  client: Client,
  run: string,
  { stuck, timeout, patience = usual }: AwaitRunOptions,
): Promise<unknown> {
  const { lookEveryMs, answerWithinMs, troubleMs } = patience;
  const ended = new AbortController();
  try {
    return await Promise.race([result(), watch(), timeUp(run, timeout)]);
  } finally {
    ended.abort();
  }

  async function result(): Promise<unknown> {
    for (;;) {
      try {
        return await client.workflow.getHandle(run).result();
      } catch (error) {
        if (error instanceof WorkflowFailedError || isKeyError(error)) throw error;
        if (error instanceof WorkflowNotFoundError) throw unknown(run, error);
        // Temporal cannot be reached at the moment. `watch` decides when the outage has lasted too long.
        await sleep(lookEveryMs, undefined, { signal: ended.signal });
      }
    }
  }

  async function watch(): Promise<never> {
    let troubleSince: number | undefined;
    let known: string | undefined;
    for (;;) {
      await sleep(lookEveryMs, undefined, { signal: ended.signal });
      const trouble = await troubleOf(client, run, answerWithinMs);
      if (trouble === undefined) {
        troubleSince = known = undefined;
        continue;
      }
      if (trouble.code === 'RUN_DIED') throw trouble;
      if (trouble.code !== known) stuck(trouble);
      known = trouble.code;
      // Count from now, not from the last successful check, which may be long ago on a busy machine.
      troubleSince ??= Date.now();
      if (Date.now() - troubleSince > troubleMs) throw trouble;
    }
  }
}

/** Returns the reason why a run makes no progress. Returns undefined if it is not blocked. */
async function troubleOf(
  client: Client,
  run: string,
  answerWithinMs: number,
): Promise<FederationError | undefined> {
  try {
    return await promptly(client, answerWithinMs, async () =>
      isStuck(await client.workflow.getHandle(run).describe()) ? stuckOn(client, run) : undefined,
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return unknown(run, error);
    const { detail } = knownError(error);
    return new FederationError('TEMPORAL_UNAVAILABLE', {
      subject: { key: run },
      detail: `${detail} The run goes on once Temporal does.`,
      hint: 'Check the server; then `federated-etl runs` shows how the run ended.',
      cause: error,
    });
  }
}

function unknown(run: string, cause: unknown): FederationError {
  return new FederationError('RUN_DIED', {
    subject: { key: run },
    detail: 'Temporal no longer knows the run: the server has lost its data, or was restored from a backup.',
    cause,
  });
}

/** Rejects with WAIT_TIMED_OUT once `timeout` is aborted. */
function timeUp(run: string, timeout: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () =>
    reject(
      new FederationError('WAIT_TIMED_OUT', {
        subject: { key: run },
        detail: 'It has not ended within the time of --timeout, and goes on.',
      }),
    );
  if (timeout?.aborted) late();
  timeout?.addEventListener('abort', late, { once: true });
  return promise;
}
