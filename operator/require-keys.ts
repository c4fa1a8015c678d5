import type { Client, WorkflowClientInterceptor } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { keyIdOf } from '../config/payload-encryption';
import type { FederationError } from '../errors/federation-error';
import { isKeyError } from '../errors/key-errors';
import { knownError } from '../errors/known-error';
import { promptly } from './promptly';

const answerWithinMs = 10_000;

/** Number of events at the end of a history whose payloads are checked. */
const lastEvents = 100;

/**
 * Returns why a client has the wrong keys for a running workflow: it lacks the key with which the workflow was started,
 * or has another secret for a key with which the workflow was started or that was used lately. Returns undefined if the
 * keys are right, and if Temporal does not say.
 *
 * A client with wrong keys must send nothing to the workflow: the workflow would wait until it can decrypt what was
 * sent.
 */
export async function wrongKeys(client: Client, workflowId: string): Promise<FederationError | undefined> {
  try {
    await promptly(client, answerWithinMs, () => decodeSome(client, workflowId));
    return undefined;
  } catch (error) {
    const known = knownError(error);
    return isKeyError(known) ? known.about({ key: workflowId }) : undefined;
  }
}

/** Decodes one payload of each key that a running workflow uses. */
async function decodeSome(client: Client, workflowId: string): Promise<void> {
  const { namespace, loadedDataConverter } = client.options;
  const decode = async (payload: Payload) => {
    for (const codec of loadedDataConverter.payloadCodecs) await codec.decode([payload]);
  };
  const asked = { namespace, execution: { workflowId } };
  const service = client.workflowService;
  const { workflowExecutionInfo } = await service.describeWorkflowExecution(asked);
  if (workflowExecutionInfo?.closeTime) return;
  const { history: start } = await service.getWorkflowExecutionHistory({ ...asked, maximumPageSize: 1 });
  const { history: end } = await service.getWorkflowExecutionHistoryReverse({
    ...asked,
    maximumPageSize: lastEvents,
  });
  const { input } = start?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  for (const payload of byKey([input, workflowExecutionInfo?.memo])) await decode(payload);
  // The client need not have a key that was used in the meantime and is no longer in use.
  for (const payload of byKey(end))
    await decode(payload).catch((error: unknown) => {
      if (knownError(error).code !== 'TEMPORAL_KEY_MISSING') throw error;
    });
}

/** Returns one encrypted payload of each key that is used anywhere in a message of Temporal's API. */
function byKey(message: unknown): Iterable<Payload> {
  const found = new Map<string, Payload>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    const keyId = keyIdOf(value);
    if (keyId === undefined) Object.values(value).forEach(look);
    else found.set(keyId, value);
  };
  look(message);
  return found.values();
}

/**
 * Returns an interceptor that sends nothing to a workflow for which the client has the wrong keys, and starts nothing if
 * it has the wrong keys for the roster. Each workflow is checked once. `client` returns the client of the interceptor.
 *
 * Calls fail with TEMPORAL_KEY_MISSING or TEMPORAL_KEY_DIFFERS.
 */
export function keysRequired(client: () => Client, roster: string): WorkflowClientInterceptor {
  const checked = new Map<string, Promise<FederationError | undefined>>();
  const check = async (workflowId: string) => {
    const error = await (checked.get(workflowId) ?? wrongKeys(client(), workflowId));
    checked.set(workflowId, Promise.resolve(error));
    if (error !== undefined) throw error;
  };
  return {
    async startWithDetails(input, next) {
      await check(roster);
      return next(input);
    },
    async signal(input, next) {
      await check(input.workflowExecution.workflowId);
      return next(input);
    },
    async signalWithStart(input, next) {
      await check(input.options.workflowId);
      return next(input);
    },
    async startUpdate(input, next) {
      await check(input.workflowExecution.workflowId);
      return next(input);
    },
  };
}
