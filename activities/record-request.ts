import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type FederationRequest, requestSchema } from '../federation/run';
import type { FederationDependencies } from './federation-dependencies';
import { requireKnownFederation } from './identify-federation';

type RequestDependencies = Pick<FederationDependencies, 'bucket' | 'roster' | 'signal'>;

export interface RecordRequestInput {
  readonly run: string;
  readonly request: FederationRequest;
}

/**
 * Creates the activity that writes a run's request to the bucket, before the run writes anything else. An existing
 * request is not replaced.
 *
 * @throws FEDERATION_MISSING or FEDERATION_OTHER if the bucket does not contain the federation that the roster knows,
 *   and the request does not set `newFederation`; in this case, nothing is written
 */
export function createRecordRequest({ bucket, roster, signal }: RequestDependencies) {
  return async ({ run, request }: RecordRequestInput): Promise<void> => {
    const options = { signal: signal() };
    if (request.newFederation !== true) await requireKnownFederation(bucket, roster, options);
    const document = documents.runRequest.at(run);
    await createDocument(bucket, document, requestSchema.parse(request), options);
  };
}
