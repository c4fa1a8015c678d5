import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import { nearestName } from '../errors/nearest-name';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { describeHold } from '../federation/hold';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { findKnownCluster } from './known-cluster';

/** A cluster name that a person wants to give to a cluster. */
export interface GivenName {
  readonly cluster: ClusterId;
  readonly name: string;
  /** The cluster that owns the name so far. */
  readonly owner: ClusterId;
}

/**
 * Reads from the newest generation who owns a cluster name.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster; CLUSTER_REMOVED if it is removed; CLUSTER_NAME_UNKNOWN if no cluster owns the
 *   name; FEDERATION_ON_HOLD if no federation would commit the decision
 */
export async function readGivenName(bucket: BucketReader, id: string, name: string): Promise<GivenName> {
  const { cluster, generation } = await findKnownCluster(bucket, id);
  if (Object.hasOwn(generation?.membership.removed ?? {}, cluster)) {
    throw new FederationError('CLUSTER_REMOVED', {
      subject: { cluster },
      detail: `${cluster} is removed, so it can own no name. \`federated-etl cluster restore ${cluster}\` brings it back.`,
    });
  }
  if (generation?.hold !== undefined)
    throw new FederationError('FEDERATION_ON_HOLD', { detail: describeHold(generation.hold) });
  const names = generation?.names ?? {};
  const owner = ownValue(names, name);
  if (owner !== undefined) return { cluster, name, owner };
  const close = nearestName(name, Object.keys(names))?.name;
  throw new FederationError('CLUSTER_NAME_UNKNOWN', {
    subject: { cluster },
    detail: `No cluster owns the name ${JSON.stringify(name)}.${close === undefined ? '' : ` The nearest one is ${close}.`}`,
  });
}

/** Returns the request for a federation that gives a cluster name to a cluster. */
export function giveNameRequest(
  { cluster, name }: GivenName,
  { by, reason }: { readonly by: string; readonly reason?: string },
  now = new Date(),
): FederationRequest {
  return {
    trigger: 'person',
    by,
    at: now.toISOString(),
    ...(reason !== undefined && { why: reason }),
    change: { kind: 'give-name', cluster, name },
  };
}

/** Returns whether the newest generation says that the cluster owns the name. */
export async function ownsName(bucket: BucketReader, { cluster, name }: GivenName): Promise<boolean> {
  return ownValue((await readNewestGeneration(bucket))?.names, name) === cluster;
}
