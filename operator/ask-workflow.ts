import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { FederationError } from '../errors/federation-error';
import { isKeyError, type KeyError, keyErrors } from '../errors/key-errors';
import { knownError } from '../errors/known-error';
import { promptly } from './promptly';
import { isStuck, stuckOn } from './stuck-on';

/** What is known about a workflow that was asked for its state. */
export interface Asked<Answer> {
  /** The state of the workflow. Undefined if it has ended, or if no worker has answered in time. */
  readonly answer?: Answer;
  /**
   * - `running`: the workflow runs. If there is no answer, no worker serves it, or the worker is too slow.
   * - `ended`: it has ended. Workers answer for an ended workflow too, but that state is out of date.
   * - `absent`: Temporal knows no such workflow.
   * - `unknown`: Temporal did not say.
   */
  readonly standing: 'running' | 'ended' | 'absent' | 'unknown';
  /** How and when the workflow ended, such as `terminated at 2026-11-20T12:00:00Z`. */
  readonly end?: string;
  /** Why the server refuses the request, if it does. */
  readonly refusal?: FederationError;
}

/** Asks a workflow for its state, and Temporal whether the workflow runs. Never throws. */
export async function askWorkflow<Answer>(
  client: Client,
  workflowId: string,
  query: string,
  withinMs: number,
): Promise<Asked<Answer>> {
  if (withinMs <= 0) return { standing: 'unknown' };
  const handle = client.workflow.getHandle(workflowId);
  const answering = answerOf(promptly(client, withinMs, () => handle.query<Answer>(query)));
  try {
    const described = await promptly(client, withinMs, () => handle.describe());
    const { status, closeTime } = described;
    if (closeTime !== undefined)
      return { standing: 'ended', end: `${ends[status.name] ?? 'ended'} at ${closeTime.toISOString()}` };
    // A workflow that its worker cannot decrypt does not answer, so do not wait for it.
    const known = isStuck(described) ? await keyErrorOf(client, workflowId, withinMs) : undefined;
    if (known !== undefined) return { standing: 'running', refusal: known };
    const answered = await answering;
    if (answered.answer !== undefined || answered.refusal !== undefined)
      return { standing: 'running', ...answered };
    const refusal = await keyErrorOf(client, workflowId, withinMs);
    return { standing: 'running', ...(refusal && { refusal }) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { standing: 'absent' };
    const refusal = refusalIn(error);
    return { standing: 'unknown', ...(refusal && { refusal }), ...(await answering) };
  }
}

/** Returns why a workflow's worker cannot decrypt it. Returns undefined if there is no such reason. */
export async function keyErrorOf(
  client: Client,
  workflowId: string,
  withinMs: number,
): Promise<KeyError | undefined> {
  const stuck = await promptly(client, withinMs, () => stuckOn(client, workflowId)).catch(knownError);
  return isKeyError(stuck) ? stuck : undefined;
}

const ends: Readonly<Record<string, string>> = {
  TERMINATED: 'terminated',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TIMED_OUT: 'timed out',
};

const refusals: readonly string[] = ['TEMPORAL_ACCESS_DENIED', 'TEMPORAL_THROTTLED', ...keyErrors];

/** Returns whether the error says that the server has no such namespace. */
export function isNamespaceMissing({ code, subject }: FederationError): boolean {
  return code === 'TEMPORAL_UNAVAILABLE' && subject.setting === 'temporal.namespace';
}

/**
 * Waits for an answer of Temporal. Returns the reason if the server refuses the request, and nothing if there was no
 * answer in time.
 */
export async function answerOf<Answer>(
  asking: Promise<Answer>,
): Promise<Pick<Asked<Answer>, 'answer' | 'refusal'>> {
  try {
    return { answer: await asking };
  } catch (error) {
    // Any other error means that the workflow has not started, has no worker, or is too slow.
    const refusal = refusalIn(error);
    return refusal === undefined ? {} : { refusal };
  }
}

function refusalIn(error: unknown): FederationError | undefined {
  const known = knownError(error);
  return refusals.includes(known.code) || isNamespaceMissing(known) ? known : undefined;
}
