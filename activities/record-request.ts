import { type FederationRequest, requestSchema } from '../federation/run';
import { runRequestKey } from '../federation/layout';
import type { FederationDependencies } from './federation-dependencies';
import { createJson } from './json-objects';

export interface RecordRequestInput {
  readonly run: string;
  readonly request: FederationRequest;
}

/** Writes what a run was asked to do, as its first object. Where it stands already, it stays as it is. */
export function createRecordRequest({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, request }: RecordRequestInput): Promise<void> => {
    await createJson(bucket, runRequestKey(run), requestSchema.parse(request), { signal: signal() });
  };
}
