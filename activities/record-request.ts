import { createDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type FederationRequest, requestSchema } from '../federation/run';
import type { FederationDependencies } from './federation-dependencies';

export interface RecordRequestInput {
  readonly run: string;
  readonly request: FederationRequest;
}

/** Writes a run's request as the first object of the run. If there is one already, keeps it. */
export function createRecordRequest({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, request }: RecordRequestInput): Promise<void> => {
    const document = documents.runRequest.at(run);
    await createDocument(bucket, document, requestSchema.parse(request), { signal: signal() });
  };
}
