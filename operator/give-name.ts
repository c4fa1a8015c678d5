import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { requireNewest } from '../federation/damaged-generation';
import type { BucketReader } from '../storage/bucket';
import { requireNoHold } from './hold';
import { findKnownCluster } from './known-cluster';

/** A cluster name that a person wants to give to a cluster. */
export interface GivenName {
  readonly cluster: ClusterId;
  readonly name: string;
  /** The cluster that owns the name now. */
  readonly owner: ClusterId;
  /** Sentences that say which newer generation is missing. Usually none. */
  readonly damaged: readonly string[];
}

/**
 * Reads from the newest generation which cluster owns a name.
 *
 * @throws CLUSTER_UNKNOWN if there is no cluster with this id; CLUSTER_REMOVED if it is removed; CLUSTER_NAME_UNKNOWN
 *   if no cluster owns the name; FEDERATION_ON_HOLD if a hold keeps federations from committing the decision;
 *   GENERATION_UNREADABLE if the newest generation is damaged
 */
export async function readGivenName(bucket: BucketReader, id: string, name: string): Promise<GivenName> {
  const { cluster, ...newest } = await findKnownCluster(bucket, id);
  const generation = requireNewest(newest);
  if (Object.hasOwn(generation?.membership.removed ?? {}, cluster)) {
    throw new FederationError('CLUSTER_REMOVED', {
      subject: { cluster },
      detail: `${cluster} is removed, so it can own no name. \`federated-etl cluster restore ${cluster}\` brings it back.`,
    });
  }
  requireNoHold(generation);
  const names = generation?.names ?? {};
  const owner = ownValue(names, name);
  if (owner !== undefined) return { cluster, name, owner, damaged: newest.damage };
  const close = nearestName(name, Object.keys(names))?.name;
  throw new FederationError('CLUSTER_NAME_UNKNOWN', {
    subject: { cluster },
    detail: `No cluster owns the name ${JSON.stringify(name)}.${close === undefined ? '' : ` The nearest one is ${close}.`}`,
  });
}

/** Returns whether the newest generation says that the cluster owns the name. */
export async function ownsName(bucket: BucketReader, { cluster, name }: GivenName): Promise<boolean> {
  return ownValue((await readNewestGeneration(bucket))?.names, name) === cluster;
}
