import { FederationError, isFederationError } from '../errors/federation-error';
import { requireDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { PlannedWindow } from '../federation/plan-document';
import type { Provenance, ProvenanceSource } from '../federation/provenance';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** What clusters last contributed to a window. */
export interface PreviousContributions {
  /** The provenance of the base's object. */
  readonly base?: Provenance;
  /** A cluster's last good contribution, and the object that it is in. */
  of(cluster: string): { readonly from: Provenance; readonly contribution: Contribution } | undefined;
  /** Every cluster that has one. */
  readonly clusters: readonly string[];
}

/** As if the window had never been merged. */
export const noPrevious: PreviousContributions = { of: () => undefined, clusters: [] };

type Contribution = NonNullable<ProvenanceSource['contribution']>;

/**
 * Reads what included clusters last contributed to a window: by the base's object, and for a cluster that returns, by
 * the object of the newest generation that held it.
 *
 * @throws GENERATION_UNREADABLE when a provenance is missing or damaged
 */
export async function readPrevious(
  bucket: BucketReader,
  planned: PlannedWindow,
  included: ReadonlySet<string>,
  options: CallOptions,
): Promise<PreviousContributions> {
  const base = planned.base === undefined ? undefined : await readProvenance(bucket, planned.base, options);
  const found = new Map<string, { from: Provenance; contribution: Contribution }>();
  const take = (from: Provenance, cluster: string) => {
    const source = from.sources.find((one) => one.cluster === cluster);
    if (source?.contribution !== undefined) found.set(cluster, { from, contribution: source.contribution });
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
  return { base, of: (cluster) => found.get(cluster), clusters: [...found.keys()] };
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
      detail: `What clusters contributed to the last generation cannot be read: ${cause.detail}`,
      hint: 'Run `federated-etl verify`. `federated-etl federate --force` merges without it: what only the last generation still held is lost then.',
      cause,
    });
  }
}
