import { FederationError } from '../errors/federation-error';
import type { Generation } from '../federation/generation';
import { decidedBy, type FederationRequest } from '../federation/run';
import { type DecidedSources, decideSources, isSourceChange } from '../federation/source-decisions';
import type { BucketReader, CallOptions } from '../storage/bucket';
import { readGeneration } from './read-generations';

/**
 * If a request contains a person's decision about quarantined sources, applies the decision to the generation from
 * which the run starts. Returns undefined if the request contains no such decision, or if there is no generation.
 *
 * @throws GENERATION_UNREADABLE if the clean-up has deleted the generation on which the person based the decision
 */
export async function readDecision(
  bucket: BucketReader,
  base: Generation | undefined,
  request: FederationRequest,
  options: CallOptions,
): Promise<DecidedSources | undefined> {
  const { change } = request;
  if (!isSourceChange(change) || base === undefined) return undefined;
  const { generation } = change;
  const shown = generation === base.generation ? base : await readGeneration(bucket, generation, options);
  if (shown !== undefined) return decideSources(base, shown, change, decidedBy(request));
  throw new FederationError('GENERATION_UNREADABLE', {
    subject: { cluster: change.cluster },
    detail: `The decision is about sources as generation ${generation} quarantines them, but this generation was cleaned up.`,
    hint: 'Look at `federated-etl quarantine`, and decide again.',
  });
}
