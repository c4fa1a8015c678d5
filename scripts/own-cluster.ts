import type { OperatorSettings } from '../config/settings';
import { FederationError } from '../errors/federation-error';
import { type ClusterId, clusterId } from '../etl/cluster-id';

/**
 * Returns the cluster that a verb is about.
 *
 * @throws SETTINGS_INVALID if neither `--cluster` nor the settings name one
 */
export function ownCluster({ clusterId: own }: OperatorSettings, given: string | undefined): ClusterId {
  if (given !== undefined) return clusterId(given);
  if (own !== undefined) return own;
  throw new FederationError('SETTINGS_INVALID', {
    detail: 'This verb is about one cluster, but neither the command line nor the settings name one.',
    hint: 'Name the cluster with --cluster, or set clusterId (CLUSTER_ID).',
  });
}
