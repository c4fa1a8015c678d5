import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';
import { isKeyError } from '../config/payload-encryption';
import { FederationError } from '../errors/federation-error';
import { knownError } from '../errors/known-error';
import { promptly } from './promptly';

const { WorkflowTaskFailedCause } = temporal.api.enums.v1;

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

/**
 * A workflow counts as stuck if one of its tasks has reached this attempt, which means that the first attempt has
 * failed.
 */
const attemptOfStuck = 2;

/** Returns the reason why a run makes no progress. Returns undefined if it is not blocked. */
async function troubleOf(
  client: Client,
  run: string,
  answerWithinMs: number,
): Promise<FederationError | undefined> {
  try {
    return await promptly(client, answerWithinMs, async () => {
      const { raw } = await client.workflow.getHandle(run).describe();
      const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
      return attempt < attemptOfStuck ? undefined : await stuckOn(client, run);
    });
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

/** Returns why the workflow of a run is stuck, from the last event of its history. */
async function stuckOn(client: Client, run: string): Promise<FederationError | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId: run },
    maximumPageSize: 1,
  });
  const failed = history?.events?.[0]?.workflowTaskFailedEventAttributes;
  if (!failed) return undefined;
  const badAttributes = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const code = failed.cause === badAttributes ? 'SEARCH_ATTRIBUTES_MISSING' : 'FEDERATION_FAILED';
  return new FederationError(code, {
    subject: { key: run },
    detail: `The run is stuck: ${(await messageOf(client, failed.failure)) ?? 'its workflow fails again and again'}.`,
    hint:
      code === 'SEARCH_ATTRIBUTES_MISSING'
        ? 'A running federator registers them within minutes, and the run goes on. If it cannot, its log says why.'
        : `Read the log of the federator. \`temporal workflow terminate -w ${run}\` ends the run.`,
  });
}

/** Returns the message of a failure, which is inside a payload if payloads are encrypted. */
async function messageOf(
  client: Client,
  failure: temporal.api.failure.v1.IFailure | null | undefined,
): Promise<string | undefined> {
  const error = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, failure);
  return error?.message;
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
