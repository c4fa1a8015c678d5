import type { RoleName } from '../federation/conditions';
import { formatSpan } from './format';
import type { ClusterSummary } from './survey';
import type { ReportedCondition } from './temporal-view';

const roleTitles: Readonly<Record<RoleName, string>> = {
  federatedCluster: 'Federated Cluster',
  federator: 'Federator',
  primaryCluster: 'Primary Cluster',
};

/**
 * Describes the conditions that do not hold: cluster, role, condition and reason of each. Passes over those about which
 * another line says the same: a missing schedule, and the pushes of a cluster that has gone silent.
 */
export function describeConditions(
  conditions: readonly ReportedCondition[],
  {
    scheduleIsMissing,
    silent,
  }: { readonly scheduleIsMissing: boolean; readonly silent: ReadonlySet<string> },
  now: Date,
): string[] {
  return conditions
    .filter(({ holds }) => holds === 'no')
    .filter(({ name }) => name !== 'schedule' || !scheduleIsMissing)
    .filter(
      ({ role, name, cluster }) =>
        role !== 'federatedCluster' || name !== 'freshness' || !silent.has(cluster),
    )
    .map(
      ({ cluster, role, name, reason, since }) =>
        `${cluster}, ${roleTitles[role]}, ${name}, for ${formatSpan(now.getTime() - Date.parse(since))}: ${reason ?? ''}`,
    );
}

/** Returns the ids of the clusters that are late or gone. */
export function silentOf(clusters: readonly Pick<ClusterSummary, 'cluster' | 'silence'>[]): Set<string> {
  return new Set(
    clusters
      .filter(({ silence }) => silence.state === 'late' || silence.state === 'gone')
      .map(({ cluster }) => cluster),
  );
}
