import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { requireDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { namesOfOthers } from '../federation/name-conflicts';
import type { PlannedWindow, PlanShard } from '../federation/plan-document';
import type { Provenance, ProvenanceSource } from '../federation/provenance';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** What each included cluster last contributed to one window. Only good contributions count. */
export interface PreviousContributions {
  /** Provenance of the window's merged object in the last generation; undefined if that generation lacks the window. */
  readonly base?: Provenance;
  /** Returns the last good contribution of a cluster, and the provenance of the merged object that contains it. */
  of(cluster: ClusterId): { readonly from: Provenance; readonly contribution: Contribution } | undefined;
  /** The clusters for which `of` returns a contribution. */
  readonly clusters: readonly ClusterId[];
  /**
   * The clusters whose last contribution is no longer good, because it contains cluster names that now belong to other
   * clusters. For each of these clusters, lists these names.
   */
  readonly taken: ReadonlyMap<ClusterId, readonly string[]>;
}

/** No contributions: the window is merged as if for the first time. */
export const noPrevious: PreviousContributions = {
  of: () => undefined,
  clusters: [],
  taken: new Map(),
};

type Contribution = NonNullable<ProvenanceSource['contribution']>;

/**
 * For each included cluster, reads the last good contribution to a window. Normally, the contribution is in the last
 * generation. If the cluster was excluded and is now included again, the contribution is in the newest generation that
 * included the cluster.
 *
 * @throws GENERATION_UNREADABLE if a provenance is missing or damaged
 */
export async function readPrevious(
  bucket: BucketReader,
  planned: PlannedWindow,
  shard: Pick<PlanShard, 'clusters' | 'names' | 'nameConflicts'>,
  options: CallOptions,
): Promise<PreviousContributions> {
  const included = new Set<string>(shard.clusters);
  const base = planned.base === undefined ? undefined : await readProvenance(bucket, planned.base, options);
  const found = new Map<ClusterId, { from: Provenance; contribution: Contribution }>();
  const taken = new Map<ClusterId, string[]>();
  const take = (from: Provenance, cluster: string) => {
    const source = from.sources.find((one) => one.cluster === cluster);
    if (source?.contribution === undefined) return;
    const { contribution } = source;
    const foreign = namesOfOthers(source.cluster, contribution.names, shard);
    if (foreign.length > 0) taken.set(source.cluster, foreign);
    else found.set(source.cluster, { from, contribution });
  };
  for (const source of base?.sources ?? []) {
    if (base !== undefined && included.has(source.cluster)) take(base, source.cluster);
  }
  const objects = new Map<string, Provenance>();
  for (const [cluster, fingerprint] of Object.entries(planned.returning)) {
    const object = objects.get(fingerprint) ?? (await readProvenance(bucket, fingerprint, options));
    objects.set(fingerprint, object);
    take(object, cluster);
  }
  return { base, of: (cluster) => found.get(cluster), clusters: [...found.keys()], taken };
}

async function readProvenance(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance> {
  const document = documents.provenance.at(fingerprint);
  try {
    return await requireDocument(bucket, document, options);
  } catch (cause) {
    if (!isFederationError(cause, 'STORAGE_NOT_FOUND') && !isFederationError(cause, 'STORAGE_CORRUPT'))
      throw cause;
    throw new FederationError('GENERATION_UNREADABLE', {
      subject: { key: document.key },
      detail: `The clusters’ contributions to the last generation cannot be read: ${cause.detail}`,
      hint: 'Run `federated-etl verify`. `federated-etl federate --force` merges without them; contributions that only the last generation still had are then lost.',
      cause,
    });
  }
}
