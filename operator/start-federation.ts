import type { Client } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';
import { readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import type { federation } from '../workflows/federation';
import { names, requestedFederationId } from '../workflows/names';
import { searchAttributes } from '../workflows/search-attributes';

/** Starts a federation for a request, and returns its workflow id. */
export async function startFederation(
  client: Client,
  idPrefix: string,
  request: FederationRequest,
): Promise<string> {
  const { workflowId } = await client.workflow.start<typeof federation>('federation', {
    workflowId: requestedFederationId(idPrefix, new Date(), request.trigger),
    taskQueue: names(idPrefix).federationQueue,
    args: [{ idPrefix, request }],
    workflowRunTimeout: '12h',
    staticSummary:
      request.replayOf === undefined ? `asked by a ${request.trigger}` : `replays ${request.replayOf}`,
    ...(request.replayOf === undefined
      ? {}
      : {
          memo: { replayOf: request.replayOf },
          typedSearchAttributes: [{ key: searchAttributes.replayOf, value: request.replayOf }],
        }),
  });
  return workflowId;
}

/**
 * Returns the request that starts a replay of a run. Throws RUN_NOT_FOUND if the bucket does not contain the original
 * request of that run.
 */
export async function replayRequest(bucket: BucketReader, run: string): Promise<FederationRequest> {
  const request = await readDocument(bucket, documents.runRequest.at(run));
  if (request === undefined) {
    throw new FederationError('RUN_NOT_FOUND', {
      subject: { key: run },
      detail: 'The bucket has no request for this run.',
    });
  }
  return { ...request, trigger: 'replay', replayOf: run, at: new Date().toISOString() };
}
