import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type FederationRequest, requestSchema } from '../federation/run';
import type { FederationDependencies } from './federation-dependencies';

export interface RecordRequestInput {
  readonly run: string;
  readonly request: FederationRequest;
}

/**
 * Creates the activity that writes a run's request to the bucket, before the run writes anything else. An existing
 * request is not replaced.
 */
export function createRecordRequest({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, request }: RecordRequestInput): Promise<void> => {
    const document = documents.runRequest.at(run);
    await createDocument(bucket, document, requestSchema.parse(request), { signal: signal() });
  };
}
